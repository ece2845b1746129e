//! Who may begin: ready leaves, and the slots there are.

use std::collections::BTreeSet;

use orchflow_types::run::{Leaf, LeafPhase, RunMode, RunOptions};
use orchflow_types::task::TaskStatus;
use serde::{Deserialize, Serialize};

use crate::state::Phase;
use crate::transition::Transition;
use crate::tree::Settled;

/// The leaves that are ready, by place, and how many are at work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Slots {
    ready_looking: BTreeSet<u32>,
    ready_writing: BTreeSet<u32>,
    active_looking: u32,
    active_writing: u32,
}

impl Slots {
    /// A leaf waits for a slot.
    pub(crate) fn queue(&mut self, leaf: u32, writes: bool) {
        if writes {
            self.ready_writing.insert(leaf);
        } else {
            self.ready_looking.insert(leaf);
        }
    }

    /// A leaf that never began waits no longer.
    pub(crate) fn leave(&mut self, leaf: u32) {
        self.ready_looking.remove(&leaf);
        self.ready_writing.remove(&leaf);
    }

    /// Takes the next leaf, in the plan's order, that the options leave room for.
    pub(crate) fn take(&mut self, options: &RunOptions) -> Option<u32> {
        if self.active_looking + self.active_writing >= options.max_concurrency.max(1) {
            return None;
        }
        let may_write = options.mode == RunMode::Parallel || self.active_writing == 0;
        let looking = self.ready_looking.first().copied();
        let writing = self.ready_writing.first().copied().filter(|_| may_write);
        match (looking, writing) {
            (None, None) => None,
            (Some(leaf), other) if other.is_none_or(|other| leaf < other) => {
                self.active_looking += 1;
                self.ready_looking.pop_first()
            }
            _ => {
                self.active_writing += 1;
                self.ready_writing.pop_first()
            }
        }
    }

    /// A leaf that was at work is through.
    pub(crate) const fn free(&mut self, writes: bool) {
        if writes {
            self.active_writing -= 1;
        } else {
            self.active_looking -= 1;
        }
    }
}

impl Transition<'_> {
    /// Begins as many ready leaves as there are slots.
    pub(crate) fn fill_slots(&mut self) {
        if self.state.phase != Phase::Working
            || self.state.desk.paused
            || self.state.ending.is_some()
        {
            return;
        }
        while let Some(place) = self.state.slots.take(&self.state.run.options) {
            self.begin_leaf(place);
        }
    }

    /// Queues leaves that nothing keeps closed any more.
    pub(crate) fn queue(&mut self, ready: Vec<u32>) {
        for place in ready {
            let writes = self.state.leaves[place as usize].view.plan.writes;
            self.state.slots.queue(place, writes);
        }
    }

    /// A leaf has ended: frees what waited for it, skips what can never begin now, and
    /// gives its slot on.
    pub(crate) fn settle(&mut self, place: u32, status: TaskStatus) {
        let mut ends = vec![(place, status)];
        while let Some((place, status)) = ends.pop() {
            let settled = self.end_leaf(place, status);
            self.touched.extend(settled.groups);
            self.queue(settled.ready);
            if self.state.ending.is_some() {
                continue; // The ending itself sees to every leaf that has not begun.
            }
            let why = skip_reason(&self.state.leaves[place as usize].view);
            for doomed in settled.doomed {
                self.leaf(doomed).view.reason = Some(why.clone());
                ends.push((doomed, TaskStatus::Skipped));
            }
        }
        self.fill_slots();
    }

    fn end_leaf(&mut self, place: u32, status: TaskStatus) -> Settled {
        let leaf = self.leaf(place);
        let had_slot = leaf.view.status == TaskStatus::Active;
        leaf.view.status = status;
        leaf.view.phase = LeafPhase::Done;
        let (node, writes) = (leaf.node, leaf.view.plan.writes);
        if had_slot {
            self.state.slots.free(writes);
        } else {
            self.state.slots.leave(place);
        }
        self.state.tree.settle(node, status)
    }
}

/// Why what depends on a leaf is skipped; it names the leaf at the root of it.
fn skip_reason(leaf: &Leaf) -> String {
    match (leaf.status, &leaf.reason) {
        (TaskStatus::Skipped, Some(reason)) => reason.clone(),
        (TaskStatus::Cancelled, _) => {
            format!("it depends on `{}`, which was cancelled", leaf.plan.key)
        }
        _ => format!("it depends on `{}`, which failed", leaf.plan.key),
    }
}
