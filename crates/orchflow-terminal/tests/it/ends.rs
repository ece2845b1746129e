//! Ends: of processes, of their trees, of everything; and what they leave behind.

use std::time::Duration;

use orchflow_runtime::process;
use orchflow_terminal::{PaneSpec, Stream};

use crate::bed::{Bed, descriptors, exit, output, until, wait_until, within};

/// The number after `word` in the output.
fn number(text: &str, word: &str) -> u32 {
    let after = text.split(word).nth(1).unwrap();
    after.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_grandchild_that_holds_the_streams_does_not_hold_up_the_exit_and_is_still_read() {
    let bed = Bed::new();
    for tty in [true, false] {
        let go = bed.output().join(format!("go-{tty}"));
        let script = format!(
            "trap '' HUP; (until test -e {}; do sleep 0.05; done; echo later) & echo first",
            go.display()
        );
        let pane = bed.start(&PaneSpec { tty, ..bed.spec(&script) }).await;
        assert!(exit(&pane).await.success());
        assert_eq!(output(&pane).trim_end(), "first");
        assert!(!pane.log(Stream::Output).unwrap().summary().ended);
        std::fs::write(&go, "").unwrap();
        until(&pane, "later").await;
        let log = pane.log(Stream::Output).unwrap();
        within("the end of the log", async { while log.wait_beyond(log.len()).await {} }).await;
    }
    bed.end().await;
}

#[tokio::test]
async fn a_grandchild_that_never_stops_printing_does_not_hold_up_the_exit() {
    let bed = Bed::new();
    for pane in [bed.tty("trap '' HUP; yes & exit 7").await, bed.pipes("yes & exit 7").await] {
        assert_eq!(exit(&pane).await.code, 7);
        within("the end of yes", pane.kill(Duration::ZERO)).await;
    }
    bed.end().await;
}

#[tokio::test]
async fn a_tree_that_ignores_term_and_leaves_its_group_is_gone_after_a_kill() {
    let bed = Bed::new();
    let script = "trap '' TERM HUP; setsid sh -c 'echo other $$; exec sleep 1000' & \
                  while :; do sleep 1000; done";
    for pane in [bed.tty(script).await, bed.pipes(script).await] {
        let other = number(&until(&pane, "\n").await, "other ");
        let started = process::start_time(other).unwrap();
        let end = within("the kill", pane.kill(Duration::from_millis(100))).await;
        let status = end.status.unwrap();
        assert_eq!((status.code, status.signal), (137, Some(9)));
        assert!(!process::is_alive(other, started));
        assert!(!process::is_alive(pane.pid(), pane.start_time()));
        assert_eq!(pane.ended(), Some(end));
    }
    bed.end().await;
}

#[tokio::test]
async fn an_interactive_shell_that_ignores_term_goes_when_its_terminal_hangs_up() {
    let bed = Bed::new();
    let pane = bed.tty("PS1='ready> ' exec sh -i").await;
    until(&pane, "ready> ").await;
    // Far less than the grace: nothing is left to wait for once the shell is told to go.
    let killed = tokio::time::timeout(Duration::from_secs(20), pane.kill(Duration::from_secs(60)));
    assert!(killed.await.is_ok());
    bed.end().await;
}

#[tokio::test]
async fn the_shutdown_ends_every_pane() {
    let bed = Bed::new();
    let panes =
        [bed.tty("echo up; exec sleep 1000").await, bed.pipes("echo up; exec sleep 1000").await];
    for pane in &panes {
        until(pane, "up").await;
    }
    bed.end().await;
    for pane in panes {
        assert_eq!(pane.ended().and_then(|end| end.status?.signal), Some(15));
    }
}

#[tokio::test]
async fn two_hundred_panes_leave_no_descriptor_and_no_task_behind() {
    let bed = Bed::new();
    exit(&bed.tty("exit 0").await).await;
    exit(&bed.pipes("exit 0").await).await;
    let metrics = tokio::runtime::Handle::current().metrics();
    // The door, and both ends of the link.
    let resting = 3;
    wait_until("the first tasks", || metrics.num_alive_tasks() == resting).await;
    let before = descriptors();
    let mut panes = Vec::new();
    for round in 0..20 {
        for _ in 0..5 {
            panes.push(bed.tty("echo hi").await);
            panes.push(bed.pipes("cat; echo hi").await);
        }
        for pane in &panes[round * 10..] {
            let _ = pane.close_stdin().await;
            assert!(exit(pane).await.success());
        }
    }
    // The handles are still held: an ended pane costs no descriptor.
    wait_until("the tasks to end", || metrics.num_alive_tasks() == resting).await;
    assert_eq!(panes.len(), 200);
    assert_eq!(descriptors(), before);
    bed.end().await;
}
