//! What a run did, by whom, proven how, and where the diff is: as Markdown.

use std::fmt::Write;

use orchflow_types::run::{GateResult, Landing, Leaf, Run, RunStatus, Verdict};
use orchflow_types::task::TaskStatus;

use crate::perform::one_line;

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
    for note in run.plan.iter().flat_map(|plan| &plan.notes) {
        let _ = writeln!(text, "> {note}");
    }
    for leaf in &run.leaves {
        text.push('\n');
        describe(&mut text, leaf);
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

fn describe(text: &mut String, leaf: &Leaf) {
    let _ = writeln!(text, "## {} {}\n", mark(leaf.status), leaf.plan.title);
    let by = leaf.executor.as_deref().unwrap_or("the project's own tools");
    let _ = writeln!(text, "- by {by}{}", rounds(leaf.iteration));
    for gate in &leaf.gates {
        let _ = writeln!(text, "- {}", proof(gate));
    }
    if leaf.plan.writes && leaf.status == TaskStatus::Completed {
        let _ = writeln!(text, "- {}", audited(leaf));
    }
    for finding in leaf.audit.iter().flat_map(|audit| &audit.findings) {
        let _ = writeln!(text, "  - {}", one_line(finding));
    }
    if let Some(commit) = &leaf.commit {
        let _ = writeln!(text, "- commit {commit}; `git show {}` shows the diff", short(commit));
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

fn proof(gate: &GateResult) -> String {
    let outcome = if gate.green() {
        "green".to_owned()
    } else {
        format!("red (exit code {})", gate.exit_code)
    };
    let mut line = format!(
        "`{}`: {outcome} in {:.1} s",
        gate.argv.join(" "),
        gate.duration_ms as f64 / 1000.0
    );
    if let Some(tests) = &gate.tests {
        let _ = write!(
            line,
            ", {} passed, {} failed, {} skipped",
            tests.passed, tests.failed, tests.skipped
        );
        if !tests.failing.is_empty() {
            let _ = write!(line, "; failing: {}", tests.failing.join(", "));
        }
    }
    line
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
    let reason = landing.reason.as_deref().unwrap_or("it could not be merged");
    let _ = writeln!(text, "Not merged: {reason}. {commits} wait on `{}`.", landing.branch);
    if let Some(command) = &landing.command {
        let _ = writeln!(text, "Take it with: `{command}`");
    }
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
