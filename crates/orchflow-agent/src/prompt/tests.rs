//! Prompts whole, and their limits.

use super::*;

use orchflow_types::plan::PlanTask;
use orchflow_types::project::ProjectCommand;
use orchflow_types::run::Severity;
use orchflow_types::{AgentType, RunId, TaskId};

use crate::{Limits, audit};

fn turn(role: Role) -> Turn {
    let clock = orchflow_runtime::Clock::system();
    Turn {
        run_id: orchflow_runtime::ids::mint::<RunId>(&clock),
        task_id: orchflow_runtime::ids::mint::<TaskId>(&clock),
        role,
        key: "key".into(),
        cwd: "/w".into(),
        plan: PlanTask {
            description: "With a login.".into(),
            files: vec!["src/page.rs".into()],
            ..PlanTask::new("add-page", "Add a page")
        },
        goal: "Make a site".into(),
        iteration: 0,
        findings: vec![],
        red_gates: vec![],
        diff: None,
        limits: Limits::default(),
        handoff: None,
        commands: vec![],
        extra: None,
    }
}

fn finding(message: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        file: Some("a.rs".into()),
        line: Some(3),
        message: message.into(),
        suggestion: Some("mend it".into()),
    }
}

fn gate(tail: &str) -> GateResult {
    GateResult {
        name: "test".into(),
        argv: vec!["cargo".into(), "test".into()],
        exit_code: 101,
        duration_ms: 5,
        pane_id: None,
        tests: None,
        tail: tail.into(),
    }
}

#[test]
fn an_executor_is_told_the_task_and_its_rules() {
    insta::assert_snapshot!(render(&turn(Role::Executor)));
}

#[test]
fn a_consultant_is_told_what_to_mend() {
    let told = Turn {
        iteration: 1,
        findings: vec![finding("it leaks")],
        red_gates: vec![gate("assertion failed")],
        handoff: Some("Another agent gave up.".into()),
        ..turn(Role::Consultant)
    };
    insta::assert_snapshot!(render(&told));
}

#[test]
fn an_auditor_is_told_the_change_and_the_shape_of_its_answer() {
    let told = Turn { diff: Some("--- a\n+++ b\n+```\n".into()), ..turn(Role::Auditor) };
    insta::assert_snapshot!(render(&told));
}

#[test]
fn an_architect_is_told_the_goal_the_commands_and_how_a_plan_is_written() {
    let command = |purpose, line: &str, available| ProjectCommand {
        purpose,
        argv: line.split(' ').map(str::to_owned).collect(),
        dir: "web".into(),
        framework: String::new(),
        fix_argv: vec![],
        reason: String::new(),
        confidence: 1.0,
        available,
        install: None,
    };
    let told = Turn {
        commands: vec![
            command(AgentType::Test, "npm test", true),
            command(AgentType::Lint, "eslint .", false),
        ],
        handoff: Some("It was refused: line 3.".into()),
        extra: Some("Think of the sea.".into()),
        ..turn(Role::Architect)
    };
    insta::assert_snapshot!(render(&told));
}

#[test]
fn every_role_is_told_what_the_settings_add() {
    for role in Role::ALL {
        let told = Turn { extra: Some("Think of the sea.".into()), ..turn(role) };
        assert!(render(&told).contains("Think of the sea."), "{role}");
    }
}

#[test]
fn a_prompt_that_is_repeated_is_no_verdict() {
    assert!(audit::read(&render(&turn(Role::Auditor))).is_err());
}

#[test]
fn no_part_of_others_makes_a_prompt_longer_than_a_word_may_be() {
    let long = "ä\0`".repeat(200_000);
    for role in Role::ALL {
        let mut told = Turn {
            goal: long.clone(),
            diff: Some(long.clone()),
            handoff: Some(long.clone()),
            findings: vec![finding(&long), finding(&long)],
            red_gates: vec![gate(&long); 20],
            extra: Some(long.clone()),
            ..turn(role)
        };
        told.plan.description = long.clone();
        told.plan.files = vec![long.clone()];
        let text = render(&told);
        assert!(text.len() <= LIMIT && !text.contains('\0'));
        assert!(text.contains("[cut here: "));
        let answers = matches!(role, Role::Auditor | Role::Architect);
        let last = if answers { "Your answer" } else { "Rules" };
        assert!(text.contains(last), "{role}: the rules were cut off");
    }
}
