//! A pane that has nothing to do costs nothing.

use std::time::Duration;

use crate::bed::{Bed, until};

#[tokio::test]
async fn idle_panes_wake_nothing_up_for_ten_seconds() {
    let bed = Bed::new();
    let panes = [bed.tty("echo up; exec sleep 1000"), bed.pipes("echo up; exec sleep 1000")];
    for pane in &panes {
        until(pane, "up").await;
    }
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.worker_park_count(0);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let parked = metrics.worker_park_count(0) - before;
    // The end of this very wait is one; a late readiness of the start may be another.
    assert!(parked <= 3, "{parked} wake-ups");
    bed.end().await;
}
