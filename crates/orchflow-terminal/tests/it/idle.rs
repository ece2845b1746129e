//! A pane that has nothing to do costs nothing.

use std::convert::Infallible;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use orchflow_runtime::TaskKind;

use crate::bed::{Bed, until};

// The runtime has one worker, which runs nothing but the tasks of the panes: the test
// itself waits on another thread, without a timer of the runtime.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn idle_panes_wake_nothing_up_for_ten_seconds() {
    let bed = Bed::new();
    let panes =
        [bed.tty("echo up; exec sleep 1000").await, bed.pipes("echo up; exec sleep 1000").await];
    for pane in &panes {
        until(pane, "up").await;
    }
    let (name, worker) = sync_channel(1);
    let tell = async move {
        let _ = name.send(rustix::thread::gettid().as_raw_nonzero());
        Ok::<_, Infallible>(())
    };
    bed.supervisor.spawn(TaskKind::Request, "worker", tell).await.unwrap();
    let status = format!("/proc/self/task/{}/status", worker.recv().unwrap());
    let switches = || -> u64 {
        let text = std::fs::read_to_string(&status).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.unwrap().trim().parse().unwrap()
    };
    let (_never, nothing) = sync_channel::<()>(0);
    let wake_ups = |time| {
        let before = switches();
        let _ = nothing.recv_timeout(time);
        switches() - before
    };
    wake_ups(Duration::from_millis(500)); // what was under way when the output was seen
    assert_eq!(wake_ups(Duration::from_secs(10)), 0);
    // The counter does count, however late a busy machine gets to it.
    let before = switches();
    panes[1].write(b"x").await.unwrap();
    while switches() == before {
        wake_ups(Duration::from_millis(10));
    }
    bed.end().await;
}
