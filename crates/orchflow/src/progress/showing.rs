//! What the live tree shows beside the run: the panes' last lines, and for how long.

use std::collections::BTreeMap;

use orchflow_client::Client;
use orchflow_runtime::clock::Stopwatch;
use orchflow_types::run::{LeafPhase, Run};
use orchflow_types::task::TaskStatus;
use orchflow_types::{PaneId, TaskId};

use super::tails::Tails;

/// What the live tree needs beside the run.
pub(super) struct Showing {
    pub(super) tails: Tails,
    /// The last line of each pane.
    pub(super) lines: BTreeMap<PaneId, String>,
    begun: BTreeMap<TaskId, Stopwatch>,
    worked: BTreeMap<TaskId, u64>,
}

impl Showing {
    pub(super) fn new() -> Self {
        Self {
            tails: Tails::new(),
            lines: BTreeMap::new(),
            begun: BTreeMap::new(),
            worked: BTreeMap::new(),
        }
    }

    /// Follows the panes at work, and notes how long each task has been.
    pub(super) fn follow(&mut self, client: &Client, now: &Run) {
        if let Some(pane_id) = now.planner.as_ref().and_then(|planner| planner.pane_id) {
            self.tails.follow(client, pane_id);
        }
        for leaf in &now.leaves {
            let at_work = leaf.status == TaskStatus::Active && leaf.phase != LeafPhase::Waiting;
            if at_work {
                self.begun.entry(leaf.task_id).or_insert_with(Stopwatch::start);
                if let Some(pane_id) = leaf.pane_id {
                    self.tails.follow(client, pane_id);
                }
            } else if let Some(watch) = self.begun.remove(&leaf.task_id) {
                self.worked.insert(leaf.task_id, watch.millis());
            }
        }
    }

    /// Milliseconds each task has been at work.
    pub(super) fn worked(&self) -> BTreeMap<TaskId, u64> {
        let mut worked = self.worked.clone();
        worked.extend(self.begun.iter().map(|(task, watch)| (*task, watch.millis())));
        worked
    }
}
