//! Who may begin: ready leaves, and the slots there are.

use std::collections::BTreeSet;

use orchflow_types::run::{RunMode, RunOptions};
use serde::{Deserialize, Serialize};

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
