//! What a run did, by whom, proven how, and where the diff is: as Markdown.

use std::fmt::Write;

use orchflow_types::run::{GateResult, Landing, Leaf, Run, RunStatus, Verdict};
use orchflow_types::task::TaskStatus;

use crate::perform::one_line;

/// The most failing tests that are named.
const FAILING: usize = 50;

/// The report of a run, finished or not.
pub(crate) fn markdown(run: &Run) -> String {
    let mut text = format!("# {}\n\n", run.goal);
    let done = run.leaves.iter().filter(|leaf| leaf.status == TaskStatus::Completed).count();
    let _ = writeln!(
        text,
        "{} ({done} of {} tasks done) · {}",
        headline(run.status),
        run.leaves.len(),
        run.run_id
    );
    if let Some(reason) = &run.reason {
        let _ = writeln!(text, "{reason}");
    }
    let mut separate = "\n";
    for note in run.plan.iter().flat_map(|plan| &plan.notes) {
        let _ = writeln!(text, "{separate}> {note}");
        separate = ">\n";
    }
    for leaf in &run.leaves {
        text.push('\n');
        describe(&mut text, leaf, &run.project);
    }
    if let Some(landing) = &run.landing {
        text.push('\n');
        land(&mut text, landing);
    }
    text
}

const fn headline(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Succeeded => "Succeeded",
        RunStatus::Partial => "Partly succeeded",
        RunStatus::Failed => "Failed",
        RunStatus::Cancelled => "Cancelled",
        _ => "Not finished yet",
    }
}

fn describe(text: &mut String, leaf: &Leaf, project: &str) {
    let _ = writeln!(text, "## {} {}\n", mark(leaf.status), leaf.plan.title);
    if let Some(by) = by(leaf) {
        let _ = writeln!(text, "- by {by}{}", rounds(leaf.iteration));
    }
    for gate in &leaf.gates {
        let _ = writeln!(text, "- {}", proof(gate, project));
        fails(text, gate);
    }
    if leaf.plan.writes && leaf.status == TaskStatus::Completed {
        let _ = writeln!(text, "- {}", audited(leaf));
    }
    for finding in leaf.audit.iter().flat_map(|audit| &audit.findings) {
        let _ = writeln!(text, "  - {}", one_line(finding));
    }
    if let Some(commit) = &leaf.commit {
        // Without the option git shows no diff of a merge commit.
        let show = format!("git show --first-parent {}", short(commit));
        let _ = writeln!(text, "- commit {}; `{show}` shows the diff", short(commit));
    }
    if let Some(pane) = &leaf.pane_id {
        let _ = writeln!(text, "- its output: `orchflow pane read {pane}`");
    }
    for note in &leaf.notes {
        let _ = writeln!(text, "- {}", note.replace('\n', "\n  "));
    }
    if let Some(reason) = &leaf.reason {
        let _ = writeln!(text, "- {reason}");
    }
    for gate in leaf.gates.iter().filter(|gate| !gate.green() && !gate.tail.is_empty()) {
        let _ = writeln!(text, "\n```\n{}\n```", gate.tail.trim_end());
    }
}

/// Who did the work; none when nobody began it.
fn by(leaf: &Leaf) -> Option<&str> {
    let ran = leaf.pane_id.is_some() || !leaf.gates.is_empty();
    let own = || (ran && !leaf.plan.command.is_empty()).then_some("the project's own tools");
    leaf.executor.as_deref().or_else(own)
}

/// The failing tests, a line each, since their names are long.
fn fails(text: &mut String, gate: &GateResult) {
    let failing = gate.tests.as_ref().map_or(&[][..], |tests| &tests.failing);
    for name in failing.iter().take(FAILING) {
        let _ = writeln!(text, "  - failing: {name}");
    }
    if let Some(more) = failing.len().checked_sub(FAILING).filter(|more| *more > 0) {
        let _ = writeln!(text, "  - and {more} more");
    }
}

const fn mark(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Completed => "✓",
        TaskStatus::Failed => "✗",
        TaskStatus::Cancelled | TaskStatus::Skipped => "–",
        TaskStatus::Pending | TaskStatus::Active => "…",
    }
}

fn rounds(iteration: u32) -> String {
    match iteration {
        0 => String::new(),
        1 => ", with one round of fixing".to_owned(),
        more => format!(", with {more} rounds of fixing"),
    }
}

fn proof(gate: &GateResult, project: &str) -> String {
    let outcome = if gate.green() {
        "green".to_owned()
    } else {
        format!("red (exit code {})", gate.exit_code)
    };
    let mut line = format!(
        "`{}`: {outcome} in {:.1} s",
        command(&gate.argv, project),
        gate.duration_ms as f64 / 1000.0
    );
    if let Some(tests) = &gate.tests {
        let _ = write!(
            line,
            ", {} passed, {} failed, {} skipped",
            tests.passed, tests.failed, tests.skipped
        );
    }
    line
}

/// The command as one would type it in the project: a path into the project is relative.
pub(crate) fn command(argv: &[String], project: &str) -> String {
    let inside = |word: &str| -> Option<String> {
        Some(word.strip_prefix(project)?.strip_prefix('/')?.to_owned())
    };
    argv.iter()
        .map(|word| inside(word).unwrap_or_else(|| word.clone()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn audited(leaf: &Leaf) -> String {
    let who = leaf.auditor.as_deref().unwrap_or("an auditor");
    match &leaf.audit {
        Some(audit) if audit.verdict == Verdict::Approved => format!("approved by {who}"),
        Some(_) => format!("{who} asked for more work"),
        None if leaf.gates.is_empty() => {
            "not audited, and the project has no gates: nothing proves it".to_owned()
        }
        None => "not audited: gates only".to_owned(),
    }
}

fn land(text: &mut String, landing: &Landing) {
    let count = landing.commits.len();
    let commits = if count == 1 { "1 commit".to_owned() } else { format!("{count} commits") };
    if landing.merged {
        let _ = writeln!(text, "Merged: {commits} on `{}`.", landing.branch);
        return;
    }
    let wait = if count == 1 { "waits" } else { "wait" };
    let reason = landing.reason.as_deref().unwrap_or("it could not be merged");
    let _ = writeln!(text, "Not merged: {reason}. {commits} {wait} on `{}`.", landing.branch);
    if let Some(command) = &landing.command {
        let _ = writeln!(text, "Take it with: `{command}`");
    }
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use orchflow_types::project::TestSummary;

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
        let gate = GateResult {
            name: "test".into(),
            argv: vec!["pytest".into()],
            exit_code: 1,
            duration_ms: 10,
            pane_id: None,
            tests,
            tail: String::new(),
        };
        let mut text = String::new();
        fails(&mut text, &gate);
        assert!(text.starts_with("  - failing: test_0\n  - failing: test_1\n"), "{text}");
        assert!(text.ends_with("  - failing: test_49\n  - and 2 more\n"), "{text}");
    }
}
