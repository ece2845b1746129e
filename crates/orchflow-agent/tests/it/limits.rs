//! What ends a turn from outside: silence, time, a person, a policy.

use std::time::Duration;

use orchflow_agent::{AgentConfig, Failure, Limits, Outcome, Turn};
use orchflow_types::AgentKind;

use crate::manager::{Stage, agent, failure, summary};

fn limited(stage: &Stage, idle: u64, turn: u64) -> Turn {
    let limits =
        Limits { idle: Some(Duration::from_millis(idle)), turn: Some(Duration::from_millis(turn)) };
    Turn { limits, ..stage.turn(&["sh", "-c", "sleep 1000"]) }
}

fn command(line: &str) -> AgentConfig {
    agent(AgentKind::Command, line)
}

#[tokio::test]
async fn one_that_hangs_is_ended_for_its_silence() {
    let stage = Stage::new();
    let turn = limited(&stage, 300, 60_000);
    let outcome = stage.take(&AgentConfig::tool(), &turn).await;
    assert_eq!(failure(&outcome), (Failure::TimedOut, "`tool` was silent for 300 ms"));
    let Outcome::Failed { pane, .. } = outcome else { unreachable!() };
    assert_eq!(pane, stage.seen.panes.lock().unwrap().first().copied());
}

#[tokio::test]
async fn one_that_ignores_a_polite_end_is_ended_all_the_same_with_its_children() {
    let stage = Stage::new();
    let line = "sh -c 'trap \"\" TERM; setsid sleep 1000 & sleep 1000; sleep 1000'";
    let outcome = stage.take(&command(line), &limited(&stage, 300, 60_000)).await;
    assert_eq!(failure(&outcome).0, Failure::TimedOut);
}

#[tokio::test]
async fn one_that_talks_forever_is_ended_when_its_turn_is_over() {
    let stage = Stage::new();
    let line = "sh -c 'while :; do echo on; sleep 0.05; done'";
    let outcome = stage.take(&command(line), &limited(&stage, 30_000, 1_000)).await;
    assert_eq!(failure(&outcome), (Failure::TimedOut, "`mine` took longer than 1 s"));
}

#[tokio::test]
async fn every_line_begins_the_wait_for_silence_anew_on_either_output() {
    let stage = Stage::new();
    let line = "sh -c 'for i in 1 2 3 4 5 6; do sleep 0.4; echo $i >&2; done; echo end'";
    let outcome = stage.take(&command(line), &limited(&stage, 1_500, 60_000)).await;
    assert_eq!(summary(&outcome), "end");
}

#[tokio::test]
async fn one_that_is_called_off_is_ended() {
    let stage = Stage::with(None, true);
    let outcome = stage.take(&command("sleep 1000"), &stage.turn(&[])).await;
    assert_eq!(failure(&outcome), (Failure::Cancelled, "it was cancelled"));
    assert_eq!(stage.manager.panes(), 1);
}

#[tokio::test]
async fn one_that_was_called_off_before_starts_nothing() {
    let stage = Stage::new();
    stage.cx.cancel.cancel();
    let outcome = stage.take(&command("sleep 1000"), &stage.turn(&[])).await;
    assert_eq!(failure(&outcome).0, Failure::Cancelled);
    assert_eq!(stage.manager.panes(), 0);
}

#[tokio::test]
async fn what_is_not_permitted_starts_nothing_whoever_asks() {
    let stage = Stage::with(Some("the policy says no"), false);
    let configs =
        [AgentConfig::tool(), command("touch made"), agent(AgentKind::ClaudeCode, "touch made")];
    for config in &configs {
        let outcome = stage.take(config, &stage.turn(&["touch", "made"])).await;
        assert_eq!(failure(&outcome), (Failure::Denied, "the policy says no"));
    }
    assert_eq!(stage.permits.asked.lock().unwrap().len(), configs.len());
    assert_eq!(stage.manager.panes(), 0);
    assert!(stage.seen.panes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_an_agent_leaves_in_the_background_ends_with_its_turn() {
    let stage = Stage::new();
    let line = "sh -c 'setsid sleep 1000 > /dev/null 2>&1 & echo left'";
    let outcome = stage.take(&command(line), &stage.turn(&[])).await;
    assert_eq!(summary(&outcome), "left");
}

#[tokio::test]
async fn a_manager_that_is_gone_is_the_machines_fault() {
    let stage = Stage::new();
    let (client, endpoint) = orchflow_client::in_process();
    drop(endpoint);
    let cx = orchflow_agent::Cx { client, ..stage.cx.clone() };
    let outcome =
        orchflow_agent::adapter(&AgentConfig::tool()).turn(&cx, &stage.turn(&["true"])).await;
    assert_eq!(failure(&outcome).0, Failure::Environment);
}
