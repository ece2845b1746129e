//! Panes after their daemon: what a restart finds, and what an end leaves.

use std::time::Duration;

use orchflow_manager::{Recovered, panes};
use orchflow_protocol::pane::{CreateParams, KillParams, Output, PaneParams, What, WriteParams};
use orchflow_runtime::process::{self, Spec, Stdio};
use orchflow_types::pane::PaneState;
use orchflow_types::{ErrorKind, EventType, Explain};

use crate::bed::{Bed, pipes, tty, wait_until, within};

#[tokio::test]
async fn the_output_of_an_ended_pane_is_there_after_a_restart() {
    let mut bed = Bed::new();
    let shown = bed.create(tty("printf 'one\\ntwo'")).await;
    let apart = bed.create(pipes("echo out; echo err >&2")).await;
    bed.exit(shown).await;
    bed.exit(apart).await;
    bed.restart().await;
    assert_eq!(bed.manager.recover().await.unwrap(), Recovered::default());
    let info = bed.info(shown).await;
    assert_eq!((info.state, info.exit_code, info.output_bytes), (PaneState::Exited, Some(0), 8));
    let raw = bed.read(shown, What::Raw, Output::Output).await;
    assert!(raw.end);
    assert_eq!(bed.text(shown, Output::Output).await, "one\r\ntwo");
    assert_eq!(bed.read(shown, What::Screen, Output::Output).await.text.trim_end(), "one\ntwo");
    assert_eq!(bed.read(shown, What::History, Output::Output).await.text, "one\ntwo");
    assert_eq!(bed.text(apart, Output::Output).await, "out\n");
    assert_eq!(bed.text(apart, Output::Errors).await, "err\n");
    let mut reader = bed.reader(shown).await;
    assert_eq!(reader.next().await.unwrap().unwrap().bytes, b"one\r\ntwo");
    assert!(reader.next().await.unwrap().unwrap().end);
    assert_eq!(reader.next().await.unwrap(), None);
    let input = WriteParams { pane_id: shown, text: "x".into(), bytes: String::new(), enter: true };
    let error = panes::write(bed.manager.clone(), input).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let screen = panes::read(
        bed.manager.clone(),
        orchflow_protocol::pane::ReadParams {
            pane_id: apart,
            what: What::Screen,
            output: Output::Output,
            from: 0,
            limit: None,
        },
    );
    assert_eq!(screen.await.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn panes_of_runs_of_a_daemon_that_died_are_lost_and_what_they_left_is_ended() {
    let mut bed = Bed::new();
    let of_a_run = pipes("echo before; exec sleep 1000");
    let key = Some("step".to_owned());
    let pane_id = bed.create(CreateParams { idempotency_key: key, ..of_a_run }).await;
    bed.until(pane_id, "before").await;
    let pid = bed.info(pane_id).await.pid.unwrap();
    let started = process::start_time(pid).unwrap();
    let far = left_running(&format!("{}:left", bed.mark));
    let other = left_running(&format!("{}x:other", bed.mark));
    // The daemon before cannot write the end any more: its store is closed.
    bed.restart().await;
    let recovered = bed.manager.recover().await.unwrap();
    assert_eq!(recovered.panes, 1);
    assert!(recovered.processes >= 1, "{recovered:?}");
    wait_until("the orphan is gone", || !process::is_alive(far.0, far.1)).await;
    wait_until("the pane's process is gone", || !process::is_alive(pid, started)).await;
    assert!(process::is_alive(other.0, other.1), "a mark that only begins alike is another's");
    let info = bed.info(pane_id).await;
    assert_eq!((info.state, info.pid, info.exit_code), (PaneState::Lost, None, None));
    assert_eq!(info.output_bytes, 7);
    assert_eq!(bed.text(pane_id, Output::Output).await, "before\n");
    let told = bed.events(pane_id, EventType::PaneExit);
    assert_eq!((told.len(), &told[0].data["lost"]), (1, &true.into()));
    let error = panes::close_stdin(bed.manager.clone(), PaneParams { pane_id }).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Conflict);
    process::sweep(&format!("{}x:", bed.mark));
}

#[tokio::test]
async fn a_persons_panes_go_on_under_the_next_manager_with_screen_history_and_end() {
    let mut bed = Bed::new();
    let shell = bed.create(tty("echo before; read line; echo got $line; exit 3")).await;
    bed.until(shell, "before").await;
    let pid = bed.info(shell).await.pid;
    bed.restart().await;
    let recovered = bed.manager.recover().await.unwrap();
    assert_eq!((recovered.kept, recovered.panes), (1, 0), "{recovered:?}");
    let info = bed.info(shell).await;
    assert_eq!((info.state, info.pid), (PaneState::Running, pid));
    let screen = async || bed.read(shell, What::Screen, Output::Output).await.text;
    while !screen().await.contains("before") {
        tokio::task::yield_now().await;
    }
    let input = WriteParams { pane_id: shell, text: "x".into(), bytes: String::new(), enter: true };
    panes::write(bed.manager.clone(), input).await.unwrap();
    assert_eq!(bed.exit(shell).await.data["exit_code"], 3);
    assert_eq!(bed.text(shell, Output::Output).await, "before\r\nx\r\ngot x\r\n");
    let info = bed.info(shell).await;
    assert_eq!((info.state, info.exit_code), (PaneState::Exited, Some(3)));
}

#[tokio::test]
async fn a_shutdown_ends_every_pane_writes_it_down_and_makes_no_new_ones() {
    let bed = Bed::new();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(
            bed.create(pipes(
                "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done",
            ))
            .await,
        );
    }
    for pane_id in &made {
        bed.until(*pane_id, "up").await;
    }
    let slipped = bed.create(pipes("setsid sleep 1000 >/dev/null 2>&1 & echo $!")).await;
    bed.exit(slipped).await;
    let pid: u32 = bed.text(slipped, Output::Output).await.trim().parse().unwrap();
    let started = process::start_time(pid).unwrap();
    within("the shutdown", bed.manager.shutdown()).await;
    wait_until("what slipped away is gone", || !process::is_alive(pid, started)).await;
    for pane_id in made {
        let info = bed.info(pane_id).await;
        assert_eq!((info.state, info.exit_code), (PaneState::Exited, Some(3)));
        assert_eq!(bed.text(pane_id, Output::Output).await, "up\nbye\n");
    }
    let error = panes::create(bed.manager.clone(), pipes("true")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_caller_that_goes_away_in_the_middle_leaves_no_process_without_a_row() {
    let bed = Bed::new();
    let mut left_early = 0;
    for polls in 1..4 {
        let mut creating = Box::pin(panes::create(bed.manager.clone(), pipes("sleep 1000")));
        let mut made = None;
        for _ in 0..polls {
            made = made.or(tokio::time::timeout(Duration::ZERO, &mut creating).await.ok());
            if made.is_some() {
                break;
            }
        }
        drop(creating);
        match made {
            None => left_early += 1,
            Some(made) => {
                let pane_id = made.unwrap().pane_id;
                let params = KillParams { pane_id, grace_ms: Some(0) };
                panes::kill(bed.manager.clone(), params).await.unwrap();
            }
        }
    }
    assert!(left_early > 0);
    wait_until("nothing runs", || bed.manager.counts().panes == 0).await;
    let running = orchflow_protocol::pane::ListParams {
        state: Some(PaneState::Running),
        ..Default::default()
    };
    let mut left = 1;
    while left > 0 {
        let listed = panes::list(bed.manager.clone(), running.clone());
        left = within("the rows", listed).await.unwrap().panes.len();
    }
}

/// A process in a session of its own that carries a mark.
fn left_running(mark: &str) -> (u32, u64) {
    let mut spec = Spec::new(["sleep", "1000"], "/");
    spec.stdio = Stdio::Null;
    mark.clone_into(&mut spec.mark);
    let child = process::spawn(&spec).unwrap();
    (child.pid, child.start_time)
}
