//! How a door ends: it stops taking work, gives what is under way a bounded time, then
//! drops the rest.

use std::time::Duration;

use orchflow_runtime::{CancellationToken, Supervisor};

/// How long calls under way have, once a door was told to end.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// How long dropping may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The two words of an ending, and the tasks they are said to. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// Take no new work.
    pub(crate) stop: CancellationToken,
    /// Drop what is still under way.
    pub(crate) drop: CancellationToken,
    /// Connections and requests of this door.
    pub(crate) tasks: Supervisor,
}

impl Ending {
    /// An ending that begins when `shutdown` does.
    pub(crate) fn new(shutdown: &CancellationToken) -> Self {
        Self {
            stop: shutdown.child_token(),
            drop: CancellationToken::new(),
            tasks: Supervisor::new(),
        }
    }

    /// Waits until all tasks have ended: up to [`GRACE`] by themselves, then dropped.
    pub(crate) async fn finish(&self) {
        self.stop.cancel();
        if tokio::time::timeout(GRACE, self.tasks.wait()).await.is_err() {
            tracing::warn!("calls were still under way after {GRACE:?} and are dropped");
            self.drop.cancel();
            // A handler that blocks its thread cannot even be dropped.
            if tokio::time::timeout(LAST_WORDS, self.tasks.wait()).await.is_err() {
                tracing::error!("a call blocks its thread and is left behind");
            }
        }
    }
}
