//! The tool: true exit codes, ends of outputs, what is missing.

use orchflow_agent::{AgentConfig, Failure, Outcome};
use orchflow_types::run::GateResult;

use crate::manager::{Stage, failure};

fn gate(outcome: Outcome) -> GateResult {
    match outcome {
        Outcome::Done { gate: Some(gate), .. } => gate,
        other => panic!("no gate: {other:?}"),
    }
}

#[tokio::test]
async fn a_green_command_gives_a_green_gate_and_was_permitted_as_it_ran() {
    let stage = Stage::new();
    let turn = stage.turn(&["sh", "-c", "echo fine"]);
    let outcome = stage.take(&AgentConfig::tool(), &turn).await;
    let pane = stage.seen.panes.lock().unwrap()[0];
    let result = gate(outcome);
    assert!(result.green() && result.tail.is_empty());
    assert_eq!((result.name.as_str(), result.pane_id), ("the-leaf", Some(pane)));
    let asked = stage.permits.asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((&asked[0].argv, &asked[0].cwd), (&turn.plan.command, &turn.cwd));
    assert_eq!((asked[0].agent.as_str(), asked[0].task_id), ("tool", turn.task_id));
}

#[tokio::test]
async fn a_red_command_gives_its_exit_code_and_the_end_of_both_outputs_in_plain_text() {
    let stage = Stage::new();
    let line = "i=0; while [ $i -lt 60 ]; do echo \"\u{1b}[31mline $i\u{1b}[0m\"; i=$((i+1)); done; exit 7";
    let result = gate(stage.take(&AgentConfig::tool(), &stage.turn(&["sh", "-c", line])).await);
    assert_eq!(result.exit_code, 7);
    let wanted: Vec<String> = (20..60).map(|n| format!("line {n}")).collect();
    assert_eq!(result.tail, wanted.join("\n"));
    let errors = stage.turn(&["sh", "-c", "echo wrong >&2; exit 1"]);
    assert_eq!(gate(stage.take(&AgentConfig::tool(), &errors).await).tail, "wrong");
}

#[tokio::test]
async fn a_command_that_a_signal_ended_is_red_as_shells_count() {
    let stage = Stage::new();
    let turn = stage.turn(&["sh", "-c", "kill -SEGV $$"]);
    assert_eq!(gate(stage.take(&AgentConfig::tool(), &turn).await).exit_code, 139);
}

#[tokio::test]
async fn a_program_that_is_missing_is_the_machines_fault_and_the_hint_says_what_to_do() {
    let stage = Stage::new();
    let outcome =
        stage.take(&AgentConfig::tool(), &stage.turn(&["no-such-program-anywhere"])).await;
    let (failed, reason) = failure(&outcome);
    assert_eq!(failed, Failure::Environment);
    assert!(reason.contains("`no-such-program-anywhere` was not found"), "{reason}");
    assert!(reason.contains("install `no-such-program-anywhere`"), "{reason}");
}

#[tokio::test]
async fn it_runs_in_the_folder_of_the_plan_and_never_outside_the_tasks() {
    let stage = Stage::new();
    std::fs::create_dir(stage.dir.path().join("web")).unwrap();
    let mut turn = stage.turn(&["sh", "-c", "test $(basename $PWD) = web"]);
    turn.plan.dir = "web".into();
    assert!(gate(stage.take(&AgentConfig::tool(), &turn).await).green());
    turn.plan.dir = "../..".into();
    let outcome = stage.take(&AgentConfig::tool(), &turn).await;
    assert_eq!(
        failure(&outcome),
        (Failure::Environment, "`../..` leads out of the folder of the task")
    );
    turn.plan.command.clear();
    assert_eq!(failure(&stage.take(&AgentConfig::tool(), &turn).await).0, Failure::Environment);
    assert_eq!(stage.manager.panes(), 1);
}

#[tokio::test]
async fn the_same_key_again_starts_nothing_twice() {
    let stage = Stage::new();
    let turn = stage.turn(&["sh", "-c", "echo once >> log; exit 3"]);
    let first = gate(stage.take(&AgentConfig::tool(), &turn).await);
    let second = gate(stage.take(&AgentConfig::tool(), &turn).await);
    assert_eq!((first.pane_id, first.exit_code), (second.pane_id, second.exit_code));
    assert_eq!(std::fs::read_to_string(stage.dir.path().join("log")).unwrap(), "once\n");
}
