//! The merge queue of a run: one leaf at a time, in the order they were committed.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The leaves that wait to be merged, and the one that is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct MergeQueue {
    waiting: VecDeque<u32>,
    merging: Option<u32>,
}
