//! The merge queue of a run: one leaf at a time, in the order they were committed.

use std::collections::VecDeque;

use orchflow_types::run::{GateResult, LeafPhase};
use orchflow_types::task::TaskStatus;
use serde::{Deserialize, Serialize};

use crate::action::{Outcome, Step};
use crate::transition::Transition;

/// The leaves that wait to be merged, the one that is, and what came of it so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct MergeQueue {
    waiting: VecDeque<u32>,
    merging: Option<u32>,
    commits: Vec<String>,
}

impl MergeQueue {
    /// The commits on the integration branch, oldest first.
    pub(crate) fn commits(&self) -> &[String] {
        &self.commits
    }

    /// Nobody waits any longer; the one being merged may finish.
    pub(crate) fn close(&mut self) {
        self.waiting.clear();
    }
}

impl Transition<'_> {
    pub(crate) fn join_merge_queue(&mut self, place: u32) {
        self.leaf(place).view.phase = LeafPhase::Merging;
        self.state.merges.waiting.push_back(place);
        self.merge_next();
    }

    /// The leaf needs the integration branch no longer, if it had it.
    pub(crate) fn leave_merge_queue(&mut self, place: u32) {
        if self.state.merges.merging == Some(place) {
            self.state.merges.merging = None;
            self.merge_next();
        }
    }

    pub(crate) fn merge_came_to(&mut self, place: u32, outcome: Outcome) {
        match outcome {
            Outcome::Merged { commit } => {
                self.state.merges.commits.push(commit.clone());
                self.leaf(place).view.commit = Some(commit);
                self.conclude(place, TaskStatus::Completed, None);
            }
            Outcome::MergeConflict { files } => {
                let reason =
                    format!("it conflicts with what was merged before it, in {}", files.join(", "));
                self.conclude(place, TaskStatus::Failed, Some(reason));
            }
            Outcome::MergedRed(gate) => self.merged_red(place, gate),
            other => unreachable!("admission lets no `{}` answer a merge", other.name()),
        }
    }

    fn merged_red(&mut self, place: u32, gate: GateResult) {
        let reason = format!("`{}` is red once it is merged with what came before it", gate.name);
        self.leaf(place).view.gates.push(gate);
        self.conclude(place, TaskStatus::Failed, Some(reason));
    }

    fn merge_next(&mut self) {
        let merges = &mut self.state.merges;
        if merges.merging.is_none()
            && let Some(place) = merges.waiting.pop_front()
        {
            merges.merging = Some(place);
            self.issue(place, Step::Merge);
        }
    }
}
