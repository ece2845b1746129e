//! The live tree and the plain lines as text: pure functions of a run.

use orchflow_types::Timestamp;
use orchflow_types::agent::AgentType;
use orchflow_types::id::Id;
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::project::TestSummary;
use orchflow_types::run::{GateResult, Landing, Leaf, LeafPhase, Planner, RunOptions};
use orchflow_types::task::TaskStatus;
use serde_json::json;

use super::changes::{changes, verdict};
use super::*;

/// Ids that read well in a snapshot.
fn id<I: Id>(number: u128) -> I {
    let digits = format!("{number:032x}");
    format!("{}_{digits}", I::PREFIX).parse().unwrap()
}

fn task(key: &str, title: &str, command: &[&str]) -> PlanTask {
    PlanTask {
        key: key.into(),
        title: title.into(),
        description: String::new(),
        agent_type: if command.is_empty() { AgentType::Dev } else { AgentType::Test },
        agent: None,
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        dir: String::new(),
        writes: command.is_empty(),
        files: Vec::new(),
        depends: Vec::new(),
        reason: String::new(),
    }
}

fn leaf(number: u128, plan: PlanTask, status: TaskStatus, phase: LeafPhase) -> Leaf {
    Leaf { status, phase, ..Leaf::new(id(number), plan) }
}

fn run() -> Run {
    let tasks = vec![
        task("run-tests", "Run the tests", &["python3", "-m", "unittest"]),
        task("cache-users", "Cache the users so that the page need not ask again and again", &[]),
        task("lint", "Lint", &["ruff", "check"]),
    ];
    let plan = Plan {
        goal: "Make it fast".into(),
        tasks: tasks.clone(),
        notes: vec!["old".into()],
        by: None,
    };
    let mut leaves: Vec<Leaf> = tasks
        .into_iter()
        .zip(1..)
        .map(|(task, number)| leaf(number, task, TaskStatus::Pending, LeafPhase::Waiting))
        .collect();
    leaves[0].status = TaskStatus::Completed;
    leaves[0].phase = LeafPhase::Done;
    leaves[1].status = TaskStatus::Active;
    leaves[1].phase = LeafPhase::Executing;
    leaves[1].agent = Some("claude".into());
    leaves[1].pane_id = Some(id(7));
    Run {
        run_id: id(9),
        task_id: id(8),
        goal: "Make it fast".into(),
        project: "/p".into(),
        status: RunStatus::Running,
        options: RunOptions::default(),
        planner: None,
        plan: Some(plan),
        leaves,
        base: None,
        landing: None,
        reason: None,
        created_at: Timestamp::from_millis(0),
        finished_at: None,
    }
}

fn view(run: &Run) -> View<'_> {
    View {
        run: Some(run),
        tails: [(id(7), "\u{1b}[2Jcompiling users.rs".to_owned())].into(),
        worked: [(id(2), 61_000)].into(),
        elapsed: Some(65_000),
    }
}

#[test]
fn the_tree_has_a_line_per_task_with_state_agent_time_and_the_last_line_of_output() {
    let run = run();
    insta::assert_snapshot!(view(&run).lines(110, 24, false).join("\n"), @r"
    working · 1/3 tasks · 1 min 5 s
    ✓ Run the tests                                 done
    ● Cache the users so that the page need not a…  at work · claude · 1 min 1 s │ \u{1b}[2Jcompiling users.rs
    ○ Lint                                          waiting
    ");
}

#[test]
fn no_line_is_wider_than_the_terminal_and_colours_take_no_cells() {
    let run = run();
    for columns in [10, 20, 40, 60, 80] {
        for line in view(&run).lines(columns, 24, false) {
            assert!(crate::output::width(&line) <= columns, "{columns}: {line}");
        }
    }
    let colored = view(&run).lines(110, 24, true).join("\n");
    assert_eq!(
        colored
            .replace("\x1b[0m", "")
            .replace("\x1b[32m", "")
            .replace("\x1b[36m", "")
            .replace("\x1b[2m", ""),
        view(&run).lines(110, 24, false).join("\n")
    );
}

#[test]
fn where_not_all_fit_those_at_work_are_shown_and_the_rest_counted() {
    let run = run();
    insta::assert_snapshot!(view(&run).lines(60, 4, false).join("\n"), @r"
    working · 1/3 tasks · 1 min 5 s
    ● Cache the users so that the page need not a…  at work · c…
    ○ Lint                                          waiting
      … 1 more
    ");
}

#[test]
fn the_first_look_tells_the_plan_with_its_exact_commands() {
    insta::assert_snapshot!(changes(None, &run()).join("\n"), @r"
    run_00000000000000000000000000000009 Make it fast
    plan: 3 tasks
      Run the tests: python3 -m unittest
      Cache the users so that the page need not ask again and again
      Lint: ruff check
      note: old
    working
    ✓ Run the tests: done
    ● Cache the users so that the page need not ask again and again: at work (claude)
    ");
}

#[test]
fn while_it_is_planned_the_architect_and_its_last_line_are_shown() {
    let before = Run { status: RunStatus::Planning, plan: None, leaves: Vec::new(), ..run() };
    let planner = Some(Planner { agent: "claude".into(), pane_id: Some(id(7)) });
    let now = Run { planner, ..before.clone() };
    insta::assert_snapshot!(view(&now).lines(60, 24, false).join("\n"), @r"
    planning · 1 min 5 s
    ● claude makes the plan │ \u{1b}[2Jcompiling users.rs
    ");
    assert_eq!(changes(Some(&before), &now), ["claude makes the plan"]);
    assert_eq!(changes(Some(&now), &now), Vec::<String>::new());
    assert_eq!(changes(Some(&now), &before), Vec::<String>::new());
}

/// What a linter said that is also counted as tests.
fn red(failing: Vec<String>) -> GateResult {
    GateResult {
        name: "lint".into(),
        argv: vec!["ruff".into(), "check".into()],
        exit_code: 1,
        duration_ms: 10,
        pane_id: None,
        tests: Some(TestSummary { passed: 2, failed: 1, skipped: 0, failing }),
        tail: String::new(),
    }
}

#[test]
fn the_verdict_names_what_is_red_and_its_failing_tests_and_how_the_run_ended_last() {
    let mut run = run();
    run.status = RunStatus::Partial;
    for leaf in &mut run.leaves[1..] {
        leaf.status = TaskStatus::Failed;
        leaf.phase = LeafPhase::Done;
    }
    run.leaves[2].reason = Some("it is red".into());
    run.leaves[2].gates = vec![red((1..=12).map(|number| format!("test_{number}")).collect())];
    let lines = verdict(&run);
    assert_eq!(lines.len(), 15, "{lines:?}");
    assert_eq!(lines[1], "✗ Lint: failed: it is red");
    assert_eq!(lines[2], "    lint is red: ruff check (exit code 1), 2 passed, 1 failed");
    assert_eq!(
        lines[12..],
        ["      test_10", "      and 2 more", "partly succeeded: 1 of 3 tasks done"]
    );
    assert_eq!(View::of(&run).lines(80, 1, false)[0], "partly succeeded · 1/3 tasks");
    run.leaves.truncate(1);
    assert_eq!(verdict(&run), ["partly succeeded: 1 of 1 tasks done"]);
}

#[test]
fn each_change_is_one_line_and_no_change_is_none() {
    let before = run();
    assert_eq!(changes(Some(&before), &before), Vec::<String>::new());
    let mut now = before.clone();
    now.status = RunStatus::Partial;
    now.leaves[2].status = TaskStatus::Failed;
    now.leaves[2].phase = LeafPhase::Done;
    now.leaves[2].reason = Some("it is red".into());
    now.leaves[2].gates = vec![red(Vec::new())];
    insta::assert_snapshot!(changes(Some(&before), &now).join("\n"), @r"
      Lint: lint is red: ruff check (exit code 1), 2 passed, 1 failed
    ✗ Lint: failed: it is red
    partly succeeded
    ");
}

#[test]
fn the_last_json_line_has_what_scripts_look_for() {
    let mut run = run();
    run.status = RunStatus::Succeeded;
    run.landing = Some(Landing {
        merged: true,
        reason: None,
        command: None,
        branch: "main".into(),
        commits: vec!["abc".into()],
    });
    let line = last_line(None, &run);
    assert_eq!(line["type"], "run.finished");
    assert_eq!(line["data"]["status"], "succeeded");
    assert_eq!(line["data"]["commits"], json!(["abc"]));
    assert_eq!(line["data"]["tasks"][0]["key"], "run-tests");
    assert_eq!(line["data"]["tasks"][0]["status"], "completed");
}
