//! Starting and ending the daemon.

use futures::future::join_all;
use orchflow_protocol::method::Empty;
use orchflow_protocol::system;
use orchflow_runtime::process;
use orchflow_testkit::Output;

use crate::home;

#[tokio::test]
async fn twenty_commands_at_once_start_one_daemon() {
    let daemon = home("");
    let answers = join_all((0..20).map(|_| daemon.cli(&["status", "--json"]))).await;
    let pids: Vec<_> =
        answers.into_iter().map(|answer| answer.unwrap().ok().json()["pid"].clone()).collect();
    assert_eq!(pids.len(), 20);
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
}

#[tokio::test]
async fn a_second_daemon_says_who_the_first_is() {
    let mut daemon = home("");
    daemon.up().await.unwrap();
    let second = daemon.cli(&["up", "--foreground"]).await.unwrap();
    assert_eq!(second.code, 7, "{second:?}");
    assert!(second.stderr.contains(&format!("process {}", daemon.pid().unwrap())), "{second:?}");
}

#[tokio::test]
async fn down_returns_when_the_process_is_gone_and_the_next_command_starts_another() {
    let daemon = home("");
    let pid = |answer: Output| u32::try_from(answer.json()["pid"].as_u64().unwrap()).unwrap();
    let first = pid(daemon.cli(&["status", "--json"]).await.unwrap().ok());
    let started = process::start_time(first).unwrap();
    daemon.cli(&["down"]).await.unwrap().ok();
    assert!(!process::is_alive(first, started));
    assert_ne!(first, pid(daemon.cli(&["status", "--json"]).await.unwrap().ok()));
}

#[tokio::test]
async fn a_daemon_that_cannot_start_tells_the_command_why() {
    let daemon = home("");
    std::fs::write(
        daemon.path().join("state.db"),
        "this is no database, whatever it says\n".repeat(200),
    )
    .unwrap();
    let answer = daemon.cli(&["status"]).await.unwrap();
    assert_eq!(answer.code, 8, "{answer:?}");
    assert!(answer.stderr.contains("state.db"), "{answer:?}");
    assert!(answer.stderr.contains("hint: "), "{answer:?}");
}

#[tokio::test]
async fn an_error_with_json_is_one_object_on_stderr() {
    let daemon = home("");
    let answer = daemon.cli(&["rpc", "no.such", "--json"]).await.unwrap();
    let error: serde_json::Value = serde_json::from_str(&answer.stderr).unwrap();
    assert_eq!((answer.code, answer.stdout.as_str()), (2, ""));
    assert_eq!(error["error"]["data"]["kind"], "method_not_found");
}

#[tokio::test]
async fn a_client_and_a_command_see_the_same_daemon() {
    let mut daemon = home("");
    daemon.up().await.unwrap();
    let info = daemon.client().await.unwrap().call::<system::Info>(Empty {}).await.unwrap();
    assert_eq!(Some(info.pid), daemon.pid());
    daemon.restart().await.unwrap();
    assert_ne!(Some(info.pid), daemon.pid());
}
