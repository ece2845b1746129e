//! What a run did, by whom, proven how, and where the diff is: as Markdown.

use std::fmt::Write;

use orchflow_types::run::{Finding, GateResult, Landing, Leaf, Run, RunStatus, Verdict};
use orchflow_types::task::TaskStatus;

use crate::perform::one_line;

/// The most failing tests that are named.
const FAILING: usize = 50;

/// The most lines that are told of what a red gate printed.
const TAIL: usize = 16;

/// Who audits, where nobody is named.
const SOMEBODY: &str = "an auditor";

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
    // Above what it came to, so that the verdict is what is left on a screen.
    for gate in leaf.gates.iter().filter(|gate| !gate.green() && !gate.tail.is_empty()) {
        let _ = writeln!(text, "```\n{}\n```\n", last_lines(gate));
    }
    if let Some(by) = by(leaf) {
        let _ = writeln!(text, "- by {by}{}", rounds(leaf.iteration));
    }
    for gate in &leaf.gates {
        let _ = writeln!(text, "- {}", proof(gate, project));
        fails(text, gate);
    }
    audits(text, leaf);
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
}

/// What the auditors said, the refusals first.
fn audits(text: &mut String, leaf: &Leaf) {
    for refusal in &leaf.refused {
        let who = refusal.auditor.as_deref().unwrap_or(SOMEBODY);
        let when = match refusal.iteration {
            0 => "before any fixing".to_owned(),
            round => format!("after round {round} of fixing"),
        };
        let _ = writeln!(text, "- {who} asked for more work {when}");
        found(text, &refusal.findings);
    }
    if leaf.plan.writes && leaf.status == TaskStatus::Completed {
        let _ = writeln!(text, "- {}", audited(leaf));
    }
    // What was refused stands above already.
    for audit in leaf.audit.iter().filter(|audit| audit.verdict == Verdict::Approved) {
        found(text, &audit.findings);
    }
}

fn found(text: &mut String, findings: &[Finding]) {
    for finding in findings {
        let _ = writeln!(text, "  - {}", one_line(finding));
    }
}

/// The end of what a gate printed, short enough to leave the verdict on the screen.
fn last_lines(gate: &GateResult) -> String {
    let lines: Vec<&str> = gate.tail.trim_end().lines().collect();
    let left_out = lines.len().saturating_sub(TAIL);
    let kept = lines[left_out..].join("\n");
    match gate.pane_id {
        _ if left_out == 0 => kept,
        Some(pane) => format!("… `orchflow pane read {pane}` shows what is above\n{kept}"),
        None => format!("…\n{kept}"),
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
    let who = leaf.auditor.as_deref().unwrap_or(SOMEBODY);
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
mod tests;
