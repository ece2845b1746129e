//! What outlives what: panes the daemon, and nothing their holder.

use std::collections::BTreeMap;

use orchflow_client::Client;
use orchflow_protocol::pane::{self, CreateParams, Output, PaneParams, ReadParams, What};
use orchflow_protocol::stream::decode;
use orchflow_runtime::process;
use orchflow_testkit::{TestDaemon, wait_until};
use orchflow_types::PaneId;
use orchflow_types::pane::{PaneInfo, PaneState};

use crate::home;

/// Busy panes, and how often the daemon is killed under them.
const PANES: usize = 6;
const KILLS: usize = 3;
/// Lines each of them prints, with a pause after every hundred, until it is told to end.
const LINES: usize = 20_000;

fn script(number: usize) -> String {
    format!(
        "awk 'BEGIN {{ for (i = 0; i < {LINES}; i++) {{ print \"pane {number} line \" i; \
         if (i % 100 == 0) {{ fflush(); system(\"sleep 0.01\") }} }} }}'; cat >/dev/null; exit 5"
    )
}

fn printed(number: usize) -> Vec<u8> {
    (0..LINES).flat_map(|line| format!("pane {number} line {line}\r\n").into_bytes()).collect()
}

async fn create(client: &Client, script: String) -> PaneId {
    let command = vec!["sh".to_owned(), "-c".to_owned(), format!("stty -echo; {script}")];
    let params = CreateParams { command, tty: true, ..CreateParams::default() };
    client.call::<pane::Create>(params).await.unwrap().pane_id
}

async fn info(daemon: &TestDaemon, pane_id: PaneId) -> PaneInfo {
    let client = daemon.client().await.unwrap();
    client.call::<pane::Info>(PaneParams { pane_id }).await.unwrap()
}

async fn output(daemon: &TestDaemon, pane_id: PaneId) -> Vec<u8> {
    let client = daemon.client().await.unwrap();
    let mut all = Vec::new();
    loop {
        let from = all.len() as u64;
        let params =
            ReadParams { pane_id, what: What::Raw, output: Output::Output, from, limit: None };
        let piece = client.call::<pane::Read>(params).await.unwrap();
        assert_eq!((piece.offset, piece.skipped), (from, 0));
        let bytes = decode(&piece.bytes).unwrap();
        if bytes.is_empty() {
            return all;
        }
        all.extend(bytes);
    }
}

#[tokio::test]
async fn busy_panes_outlive_a_killed_daemon_with_their_processes_and_every_byte() {
    let mut daemon = home("");
    daemon.up().await.unwrap();
    let client = daemon.client().await.unwrap();
    let mut panes = BTreeMap::new();
    for number in 0..PANES {
        let pane_id = create(&client, script(number)).await;
        panes.insert(pane_id, (number, info(&daemon, pane_id).await.pid.unwrap()));
    }
    let holder = daemon.holder().unwrap();
    for _ in 0..KILLS {
        daemon.restart().await.unwrap();
        assert_eq!(daemon.holder(), Some(holder));
    }
    for (pane_id, (number, pid)) in panes {
        let wanted = printed(number);
        wait_until("all of a pane's output", || async {
            info(&daemon, pane_id).await.output_bytes >= wanted.len() as u64
        })
        .await;
        let now = info(&daemon, pane_id).await;
        assert_eq!((now.state, now.pid), (PaneState::Running, Some(pid)));
        assert!(output(&daemon, pane_id).await == wanted, "pane {number}");
        let client = daemon.client().await.unwrap();
        client.call::<pane::CloseStdin>(PaneParams { pane_id }).await.unwrap();
        wait_until("the end of a pane", || async {
            info(&daemon, pane_id).await.exit_code == Some(5)
        })
        .await;
    }
}

#[tokio::test]
async fn a_pane_that_ended_while_no_daemon_ran_is_known_with_its_code_and_output() {
    let mut daemon = home("");
    daemon.up().await.unwrap();
    let go = daemon.path().join("go");
    let script = format!("until test -e {}; do sleep 0.01; done; echo bye; exit 9", go.display());
    let pane_id = create(&daemon.client().await.unwrap(), script).await;
    let pid = info(&daemon, pane_id).await.pid.unwrap();
    let started = process::start_time(pid).unwrap();
    daemon.kill().await;
    std::fs::write(&go, "").unwrap();
    wait_until("the end of its process", || async { !process::is_alive(pid, started) }).await;
    daemon.up().await.unwrap();
    wait_until("its end to be known", || async {
        info(&daemon, pane_id).await.state == PaneState::Exited
    })
    .await;
    assert_eq!(info(&daemon, pane_id).await.exit_code, Some(9));
    assert_eq!(output(&daemon, pane_id).await, b"bye\r\n");
}

#[tokio::test]
async fn panes_are_lost_with_their_holder_and_the_next_one_gets_another() {
    let mut daemon = home("");
    daemon.up().await.unwrap();
    let client = daemon.client().await.unwrap();
    let pane_id = create(&client, "trap '' HUP; exec sleep 1000".to_owned()).await;
    let pid = info(&daemon, pane_id).await.pid.unwrap();
    let started = process::start_time(pid).unwrap();
    let (holder, since) = daemon.holder().unwrap();
    process::kill_group(holder, since, process::Signal::KILL);
    wait_until("the pane to be lost", || async {
        info(&daemon, pane_id).await.state == PaneState::Lost
    })
    .await;
    wait_until("its process to end", || async { !process::is_alive(pid, started) }).await;
    let another = create(&client, "exit 4".to_owned()).await;
    wait_until("the next pane to end", || async {
        info(&daemon, another).await.exit_code == Some(4)
    })
    .await;
    assert_ne!(daemon.holder(), Some((holder, since)));
}

#[tokio::test]
async fn down_ends_the_panes_and_their_holder() {
    let daemon = home("");
    daemon.cli(&["pane", "create", "--", "sleep", "1000"]).await.unwrap().ok();
    let (holder, since) = daemon.holder().unwrap();
    daemon.cli(&["down"]).await.unwrap().ok();
    wait_until("the end of the holder", || async { !process::is_alive(holder, since) }).await;
}
