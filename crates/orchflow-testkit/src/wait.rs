//! Waiting for a condition, for a bounded time, with a name.

use std::future::Future;
use std::time::Duration;

use orchflow_runtime::clock::Stopwatch;

/// The longest any test waits for one thing; far beyond what a slow machine needs.
const LIMIT: Duration = Duration::from_secs(60);

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until `condition` answers true.
///
/// # Panics
/// When it does not within a minute; the message names `what` it waited for.
pub async fn wait_until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let watch = Stopwatch::start();
    while !condition().await {
        assert!(watch.elapsed() < LIMIT, "waited {LIMIT:?} in vain for: {what}");
        tokio::time::sleep(LOOK).await;
    }
}
