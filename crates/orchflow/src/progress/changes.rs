//! What changed between two looks at a run, as plain lines: for pipes, files and CI.

use std::fmt::Write;

use orchflow_types::run::{Finding, GateResult, Leaf, Run, Verdict};
use orchflow_types::task::TaskStatus;

use super::view::{busy, glyph, planner_words, run_words, words};
use crate::output::visible;
use crate::talk::{count, from_inside, quoted};

/// The most failing tests that a verdict names for one gate.
const FAILING: usize = 10;

/// One line per change, oldest first; everything is a change when there was no look before.
#[must_use]
pub(crate) fn changes(before: Option<&Run>, now: &Run) -> Vec<String> {
    let mut lines = Vec::new();
    if before.is_none() {
        lines.push(format!("{} {}", now.run_id, visible(&now.goal)));
    }
    if before.is_none_or(|before| before.plan.is_none()) {
        lines.extend(plan(now));
    }
    // A run that has ended says so below its tasks, not above them.
    let status = before.is_none_or(|before| before.status != now.status);
    let status = status.then(|| run_words(now.status).to_owned());
    if !now.status.is_final() {
        lines.extend(status.clone());
    }
    let planner = |run: &Run| run.planner.as_ref().map(|planner| planner.agent.clone());
    if before.and_then(planner) != planner(now) {
        lines.extend(now.planner.as_ref().map(planner_words));
    }
    for leaf in &now.leaves {
        let old = before.and_then(|run| run.leaves.iter().find(|old| old.task_id == leaf.task_id));
        lines.extend(leaf_changes(old, leaf, &now.project));
    }
    if now.status.is_final() {
        lines.extend(status.map(|status| match &now.reason {
            Some(reason) => format!("{status}: {}", visible(reason)),
            None => status,
        }));
    }
    lines
}

/// The plan with the exact commands it runs, before they run.
#[must_use]
pub(crate) fn plan(run: &Run) -> Vec<String> {
    let Some(plan) = &run.plan else { return Vec::new() };
    let mut lines = vec![format!("plan: {}", count(plan.tasks.len() as u64, "task", "tasks"))];
    for task in &plan.tasks {
        let mut line = format!("  {}", visible(&task.title));
        if !task.command.is_empty() {
            let _ =
                write!(line, ": {}", visible(&quoted(&from_inside(&task.command, &run.project))));
        }
        if !task.dir.is_empty() {
            let _ = write!(line, " (in {})", visible(&task.dir));
        }
        lines.push(line);
    }
    lines.extend(plan.notes.iter().map(|note| format!("  note: {}", visible(note))));
    lines
}

fn leaf_changes(before: Option<&Leaf>, now: &Leaf, project: &str) -> Vec<String> {
    let title = visible(&now.plan.title);
    let mut lines = Vec::new();
    let gates = before.map_or(&[][..], |before| &before.gates);
    if now.gates != gates {
        lines.extend(
            now.gates
                .iter()
                .filter(|gate| !gates.contains(gate))
                .map(|gate| format!("  {title}: {}", proof(gate, project))),
        );
    }
    if let Some(audit) = now
        .audit
        .as_ref()
        .filter(|audit| before.and_then(|before| before.audit.as_ref()) != Some(audit))
    {
        let verdict = match audit.verdict {
            Verdict::Approved => "approved by the auditor",
            Verdict::NeedsWork => "the auditor asks for more work",
        };
        let findings = count(audit.findings.len() as u64, "finding", "findings");
        lines.push(format!("  {title}: {verdict} ({findings})"));
        lines.extend(audit.findings.iter().map(|finding| format!("    {}", found(finding))));
    }
    let stood = |leaf: &Leaf| (leaf.status, leaf.phase, leaf.iteration);
    let untouched = before.is_none() && now.status == TaskStatus::Pending;
    if !untouched && before.map(stood) != Some(stood(now)) {
        let agent = now.agent.as_deref().filter(|_| busy(now));
        let by = agent.map(|agent| format!(" ({})", visible(agent))).unwrap_or_default();
        lines.push(format!("{} {title}: {}{by}", glyph(now), words(now)));
    }
    lines
}

/// What is left on the screen below the report of a run that is not green: what is red in it,
/// with the failing tests by name, and how it ended. Of a single task the report's own last
/// lines say that.
#[must_use]
pub(crate) fn verdict(run: &Run) -> Vec<String> {
    let several = run.leaves.len() > 1;
    let mut lines = Vec::new();
    for leaf in run.leaves.iter().filter(|leaf| several && leaf.status == TaskStatus::Failed) {
        lines.push(format!("{} {}: {}", glyph(leaf), visible(&leaf.plan.title), words(leaf)));
        for gate in leaf.gates.iter().filter(|gate| !gate.green()) {
            lines.push(format!("    {}", proof(gate, &run.project)));
            let failing = gate.tests.as_ref().map_or(&[][..], |tests| &tests.failing);
            lines.extend(
                failing.iter().take(FAILING).map(|name| format!("      {}", visible(name))),
            );
            if let Some(more) = failing.len().checked_sub(FAILING).filter(|more| *more > 0) {
                lines.push(format!("      and {more} more"));
            }
        }
    }
    let done = run.leaves.iter().filter(|leaf| leaf.status == TaskStatus::Completed).count();
    lines.push(format!("{}: {done} of {} tasks done", run_words(run.status), run.leaves.len()));
    lines
}

fn found(finding: &Finding) -> String {
    let message = visible(&finding.message.split_whitespace().collect::<Vec<_>>().join(" "));
    match (&finding.file, finding.line) {
        (Some(file), Some(line)) => format!("{}:{line}: {message}", visible(file)),
        (Some(file), None) => format!("{}: {message}", visible(file)),
        _ => message,
    }
}

fn proof(gate: &GateResult, project: &str) -> String {
    let outcome = if gate.green() { "green" } else { "red" };
    let mut line = format!(
        "{} is {outcome}: {}",
        visible(&gate.name),
        visible(&quoted(&from_inside(&gate.argv, project)))
    );
    if !gate.green() {
        let _ = write!(line, " (exit code {})", gate.exit_code);
    }
    if let Some(tests) = &gate.tests {
        let _ = write!(line, ", {} passed, {} failed", tests.passed, tests.failed);
    }
    line
}
