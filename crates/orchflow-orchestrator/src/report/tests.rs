//! What a report says, and in which order.

use orchflow_types::PaneId;
use orchflow_types::plan::PlanTask;
use orchflow_types::project::TestSummary;
use orchflow_types::run::{Audit, Refusal, Severity};

use super::*;

#[test]
fn a_command_is_told_as_one_types_it_in_the_project() {
    let argv = ["/p/.venv/bin/python", "-m", "pytest", "/pq/x"].map(str::to_owned);
    assert_eq!(command(&argv, "/p"), ".venv/bin/python -m pytest /pq/x");
}

#[test]
fn failing_tests_have_a_line_each_up_to_a_number_that_is_said() {
    let failing: Vec<String> = (0..FAILING + 2).map(|n| format!("test_{n}")).collect();
    let tests = Some(TestSummary { passed: 1, failed: 52, skipped: 0, failing });
    let gate = GateResult { tests, ..red() };
    let mut text = String::new();
    fails(&mut text, &gate);
    assert!(text.starts_with("  - failing: test_0\n  - failing: test_1\n"), "{text}");
    assert!(text.ends_with("  - failing: test_49\n  - and 2 more\n"), "{text}");
}

#[test]
fn what_was_refused_is_told_with_round_and_findings_before_the_approval() {
    let finding = |message: &str| Finding {
        severity: Severity::Error,
        file: Some("calc.py".into()),
        line: Some(3),
        message: message.into(),
        suggestion: None,
    };
    let refusal = |iteration, message| Refusal {
        iteration,
        auditor: Some("critic".into()),
        findings: vec![finding(message)],
    };
    let leaf = Leaf {
        status: TaskStatus::Completed,
        auditor: Some("judge".into()),
        refused: vec![refusal(0, "it is empty"), refusal(2, "it is slow")],
        audit: Some(Audit { verdict: Verdict::Approved, findings: vec![finding("well")] }),
        ..leaf()
    };
    let mut text = String::new();
    audits(&mut text, &leaf);
    let told: Vec<&str> = text.lines().collect();
    let right = [
        "- critic asked for more work before any fixing".to_owned(),
        format!("  - {}", one_line(&finding("it is empty"))),
        "- critic asked for more work after round 2 of fixing".to_owned(),
        format!("  - {}", one_line(&finding("it is slow"))),
        "- approved by judge".to_owned(),
        format!("  - {}", one_line(&finding("well"))),
    ];
    assert_eq!(told, right);
}

#[test]
fn the_output_of_a_red_gate_stands_above_its_verdict_and_is_bounded() {
    let lines: Vec<String> = (0..TAIL + 5).map(|line| format!("line {line}")).collect();
    let pane: PaneId = format!("pane_{:032x}", 7).parse().unwrap();
    let gate = GateResult { pane_id: Some(pane), tail: lines.join("\n"), ..red() };
    let leaf = Leaf { status: TaskStatus::Failed, gates: vec![gate], ..leaf() };
    let mut text = String::new();
    describe(&mut text, &leaf, "/p");
    let (above, verdict) = text.rsplit_once("```\n").unwrap();
    assert!(above.contains("line 20") && !above.contains("line 4\n"), "{text}");
    assert!(above.contains(&format!("`orchflow pane read {pane}` shows")), "{text}");
    assert!(verdict.contains("`pytest`: red") && verdict.contains("failing: test_a"), "{text}");
}

fn leaf() -> Leaf {
    let task = format!("task_{:032x}", 1).parse().expect("it is an id");
    Leaf::new(task, PlanTask::new("fix", "Fix it"))
}

fn red() -> GateResult {
    GateResult {
        name: "test".into(),
        argv: vec!["pytest".into()],
        exit_code: 1,
        duration_ms: 10,
        pane_id: None,
        tests: Some(TestSummary {
            passed: 1,
            failed: 1,
            skipped: 0,
            failing: vec!["test_a".into()],
        }),
        tail: String::new(),
    }
}
