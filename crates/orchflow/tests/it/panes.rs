//! Commands in panes, as if they were run here.

use std::time::Duration;

use orchflow_runtime::process::{Output, Spec, output};
use orchflow_testkit::TestDaemon;

use crate::{ORCHFLOW, home};

/// A shell line with `orchflow` as `$OF`.
async fn shell(daemon: &TestDaemon, line: &str) -> Output {
    let spec = Spec::new(["sh", "-c", line], daemon.path())
        .env("OF", ORCHFLOW)
        .env("ORCHFLOW_HOME", daemon.path());
    output(&spec, 16 << 20, Duration::from_secs(60)).await.expect("sh is there")
}

#[tokio::test]
async fn exec_keeps_output_and_errors_apart_and_passes_the_exit_code_on() {
    let daemon = home("");
    let script = "echo out; echo err >&2; pwd; exit 3";
    let answer = daemon.cli(&["exec", "--", "sh", "-c", script]).await.unwrap();
    assert_eq!(answer.code, 3, "{answer:?}");
    assert_eq!(answer.stdout, format!("out\n{}\n", daemon.path().display()));
    assert_eq!(answer.stderr, "err\n");
    let killed = daemon.cli(&["exec", "--", "sh", "-c", "kill -9 $$"]).await.unwrap();
    assert_eq!(killed.code, 137);
    let missing = daemon.cli(&["exec", "--", "no-such-program"]).await.unwrap();
    assert_eq!(missing.code, 5, "{missing:?}");
}

#[tokio::test]
async fn every_byte_of_input_comes_back() {
    let daemon = home("");
    let line = "head -c 3000000 /dev/urandom > in; $OF exec -- cat < in | cmp - in && echo same";
    assert_eq!(shell(&daemon, line).await.text(), "same");
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_command_and_its_pane() {
    let daemon = home("");
    let line = "{ $OF exec -- yes; echo $? >code; } | head -n 1; cat code";
    assert_eq!(shell(&daemon, line).await.text(), "y\n141");
    let panes = daemon.cli(&["pane", "list", "--running", "--json"]).await.unwrap().ok();
    assert_eq!(panes.json()["panes"], serde_json::json!([]));
}

#[tokio::test]
async fn what_ends_exec_ends_the_command_it_runs() {
    let daemon = home("");
    let line = "timeout 1 $OF exec -- sh -c 'echo $$ > pid; exec sleep 1000'; kill -0 $(cat pid) || echo gone";
    assert_eq!(shell(&daemon, line).await.text(), "gone");
}

#[tokio::test]
async fn exec_gets_the_callers_variables_without_its_secrets() {
    let daemon = home("");
    let line = "FRUIT=plum MY_API_KEY=hush $OF exec -- sh -c 'echo $FRUIT:$MY_API_KEY'";
    assert_eq!(shell(&daemon, line).await.text(), "plum:");
}

#[tokio::test]
async fn a_pane_is_written_to_waited_for_and_read() {
    let daemon = home("");
    let made = daemon.cli(&["pane", "create", "--json", "--", "sh"]).await.unwrap().ok().json();
    let pane = made["pane_id"].as_str().unwrap();
    daemon.cli(&["pane", "write", pane, "echo $((6*7)); exit 5", "--enter"]).await.unwrap().ok();
    assert_eq!(daemon.cli(&["pane", "wait", pane]).await.unwrap().code, 5);
    let screen = daemon.cli(&["pane", "read", pane, "--screen"]).await.unwrap().ok();
    assert!(screen.stdout.ends_with("\n42\n"), "{screen:?}");
    let info = daemon.cli(&["pane", "info", pane, "--json"]).await.unwrap().ok().json();
    assert_eq!((&info["state"], &info["exit_code"]), (&"exited".into(), &5.into()));
}
