//! How long a run was at work: what its minutes limit.
//!
//! Time in which nothing of it is under way does not count: while a plan waits for its
//! approval, while the run is paused or waits for room, while no daemon runs.

use orchflow_types::Timestamp;
use serde::{Deserialize, Serialize};

/// The time that was worked, and since when it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Worked {
    millis: u64,
    /// None while nothing is under way.
    since: Option<Timestamp>,
}

impl Worked {
    /// A command was taken at this moment, and after it the run is at work or not.
    pub(crate) fn pass(&mut self, at: Timestamp, working: bool) {
        self.millis = self.until(at);
        self.since = working.then_some(at);
    }

    /// What passed since the last command does not count.
    pub(crate) const fn forget(&mut self) {
        self.since = None;
    }

    /// The milliseconds until `now`.
    pub(crate) fn until(&self, now: Timestamp) -> u64 {
        self.millis + self.since.map_or(0, |since| now.millis_since(since))
    }
}
