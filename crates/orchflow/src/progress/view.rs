//! A run as lines of text: a pure function of what is known of it. The live tree, `runs
//! show` and the tests share it.

use std::collections::BTreeMap;

use orchflow_types::run::{Leaf, LeafPhase, Planner, Run, RunStatus};
use orchflow_types::task::TaskStatus;
use orchflow_types::{PaneId, TaskId};

use crate::output::{Style, cut, visible, width};
use crate::talk::span;

/// The most cells a title takes.
const TITLE: usize = 44;

/// What is known of a run at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct View<'a> {
    /// The run; none before it was read.
    pub run: Option<&'a Run>,
    /// The last line each pane wrote, without escape sequences.
    pub tails: BTreeMap<PaneId, String>,
    /// Milliseconds each task has been at work.
    pub worked: BTreeMap<TaskId, u64>,
    /// Milliseconds since the run was asked for.
    pub elapsed: Option<u64>,
}

impl<'a> View<'a> {
    /// The run alone, without what only a follower knows.
    #[must_use]
    pub(crate) fn of(run: &'a Run) -> Self {
        Self { run: Some(run), ..Self::default() }
    }

    /// The lines: a head, then one per task. None is wider than `columns`, and there are at
    /// most `rows`; tasks that do not fit are counted in the last.
    #[must_use]
    pub(crate) fn lines(&self, columns: usize, rows: usize, color: bool) -> Vec<String> {
        let Some(run) = self.run else { return Vec::new() };
        let mut lines = vec![cut(&self.head(run), columns)];
        lines.extend(run.planner.as_ref().map(|planner| self.planner(planner, columns, color)));
        let (shown, left_out) = choose(&run.leaves, rows.saturating_sub(2).max(1));
        let title = shown.iter().map(|leaf| width(&one_line(&leaf.plan.title))).max().unwrap_or(0);
        let title = title.min(TITLE);
        lines.extend(shown.iter().map(|leaf| self.leaf(leaf, title, columns, color)));
        if left_out > 0 {
            lines.push(cut(&format!("  … {left_out} more"), columns));
        }
        lines
    }

    fn head(&self, run: &Run) -> String {
        // Under way a task that has failed is out of the way, too; in the end only what succeeded is done.
        let over = run.status.is_final();
        let counts = |leaf: &&Leaf| match leaf.status {
            TaskStatus::Completed => true,
            status => !over && status.is_final(),
        };
        let done = run.leaves.iter().filter(counts).count();
        let mut head = run_words(run.status).to_owned();
        if !run.leaves.is_empty() {
            head.push_str(&format!(" · {done}/{} tasks", run.leaves.len()));
        }
        if let Some(elapsed) = self.elapsed {
            head.push_str(&format!(" · {}", span(elapsed)));
        }
        head
    }

    /// The architect at work on the plan, as a task at work looks.
    fn planner(&self, planner: &Planner, columns: usize, color: bool) -> String {
        let text = format!("● {}", one_line(&planner_words(planner)));
        let tail = planner.pane_id.as_ref().and_then(|pane| self.tails.get(pane));
        with_tail(&cut(&text, columns), Style::Cyan, tail.map(String::as_str), columns, color)
    }

    fn leaf(&self, leaf: &Leaf, title: usize, columns: usize, color: bool) -> String {
        let name = cut(&one_line(&leaf.plan.title), title);
        let pad = " ".repeat(title.saturating_sub(width(&name)));
        let mut text = format!("{} {name}{pad}  {}", glyph(leaf), words(leaf));
        if let Some(agent) = leaf.agent.as_deref().filter(|_| busy(leaf)) {
            text.push_str(&format!(" · {}", one_line(agent)));
        }
        if let Some(worked) = self.worked.get(&leaf.task_id).filter(|worked| **worked >= 1000) {
            text.push_str(&format!(" · {}", span(*worked)));
        }
        with_tail(&cut(&text, columns), style(leaf), self.tail(leaf), columns, color)
    }

    fn tail(&self, leaf: &Leaf) -> Option<&str> {
        let tail = self.tails.get(leaf.pane_id.as_ref()?)?;
        (leaf.status == TaskStatus::Active).then_some(tail)
    }
}

/// A line with its mark painted, and what its pane wrote last where there is room for it.
fn with_tail(text: &str, style: Style, tail: Option<&str>, columns: usize, color: bool) -> String {
    let room = columns.saturating_sub(width(text) + 3);
    let painted = paint_glyph(text, style, color);
    match tail.map(one_line).filter(|tail| !tail.is_empty()) {
        Some(tail) if room >= 12 => {
            format!("{painted} {}", Style::Dim.paint(&format!("│ {}", cut(&tail, room)), color))
        }
        _ => painted,
    }
}

/// Who makes the plan, for a person.
#[must_use]
pub(crate) fn planner_words(planner: &Planner) -> String {
    format!("{} makes the plan", visible(&planner.agent))
}

/// Whether an agent is at it, rather than a gate or git.
#[must_use]
pub(crate) fn busy(leaf: &Leaf) -> bool {
    let by_agent = [LeafPhase::Executing, LeafPhase::Auditing, LeafPhase::Fixing];
    leaf.status == TaskStatus::Active && by_agent.contains(&leaf.phase)
}

/// The leaves that fit into `rows`: those at work and those that went wrong before the rest.
fn choose(leaves: &[Leaf], rows: usize) -> (Vec<&Leaf>, usize) {
    if leaves.len() <= rows {
        return (leaves.iter().collect(), 0);
    }
    let rank = |leaf: &Leaf| match leaf.status {
        TaskStatus::Active => 0,
        TaskStatus::Failed => 1,
        TaskStatus::Pending => 2,
        _ => 3,
    };
    let mut order: Vec<usize> = (0..leaves.len()).collect();
    order.sort_by_key(|at| (rank(&leaves[*at]), *at));
    let mut kept: Vec<usize> = order.into_iter().take(rows).collect();
    kept.sort_unstable();
    (kept.into_iter().map(|at| &leaves[at]).collect(), leaves.len() - rows)
}

fn one_line(text: &str) -> String {
    visible(&text.replace(['\n', '\t'], " ")).trim().to_owned()
}

/// The mark of a task's state.
#[must_use]
pub(crate) const fn glyph(leaf: &Leaf) -> char {
    match leaf.status {
        TaskStatus::Pending => '○',
        TaskStatus::Active => '●',
        TaskStatus::Completed => '✓',
        TaskStatus::Failed => '✗',
        TaskStatus::Cancelled | TaskStatus::Skipped => '–',
    }
}

const fn style(leaf: &Leaf) -> Style {
    match leaf.status {
        TaskStatus::Completed => Style::Green,
        TaskStatus::Failed => Style::Red,
        TaskStatus::Active => Style::Cyan,
        _ => Style::Dim,
    }
}

fn paint_glyph(text: &str, style: Style, color: bool) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(String::from).unwrap_or_default();
    format!("{}{}", style.paint(&first, color), rest.as_str())
}

/// Where a run stands, for a person.
#[must_use]
pub(crate) const fn run_words(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Planning => "planning",
        RunStatus::AwaitingApproval => "waiting for your approval",
        RunStatus::Running => "working",
        RunStatus::Paused => "paused",
        RunStatus::Landing => "bringing the result to your branch",
        RunStatus::Succeeded => "succeeded",
        RunStatus::Partial => "partly succeeded",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    }
}

/// Where a task stands, for a person.
#[must_use]
pub(crate) fn words(leaf: &Leaf) -> String {
    let word = match (leaf.status, leaf.phase) {
        (TaskStatus::Completed, _) => "done",
        (TaskStatus::Failed, _) => "failed",
        (TaskStatus::Cancelled, _) => "cancelled",
        (TaskStatus::Skipped, _) => "left out",
        (_, LeafPhase::Waiting) => "waiting",
        (_, LeafPhase::Preparing) => "getting a worktree",
        (_, LeafPhase::Executing) => "at work",
        (_, LeafPhase::Gating) => "being proven",
        (_, LeafPhase::Auditing) => "being reviewed",
        (_, LeafPhase::Fixing) => return format!("being fixed, round {}", leaf.iteration.max(1)),
        (_, LeafPhase::Committing) => "being committed",
        (_, LeafPhase::Merging) => "being merged",
        (_, LeafPhase::Done) => "ending",
    };
    let reason = leaf.reason.as_deref().filter(|_| leaf.status.is_final());
    let is_bad = leaf.status != TaskStatus::Completed;
    reason
        .filter(|_| is_bad)
        .map_or_else(|| word.to_owned(), |why| format!("{word}: {}", one_line(why)))
}
