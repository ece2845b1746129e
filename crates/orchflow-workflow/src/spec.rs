//! What a run is told when it begins: the run itself, and the nodes of its task tree.
//!
//! Ids are minted by the caller; the machine never makes one.

use orchflow_types::plan::PlanTask;
use orchflow_types::run::{Gate, RunOptions};
use orchflow_types::{RunId, TaskId};
use serde::{Deserialize, Serialize};

/// All that a run needs to know to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The name of the run.
    pub run_id: RunId,
    /// The root of its task tree.
    pub root: TaskId,
    /// What was asked for, in the user's words.
    pub goal: String,
    /// The project's root, absolute.
    pub project: String,
    /// What it may and must do.
    pub options: RunOptions,
    /// The project's own checks, in the order every leaf that writes has to pass them.
    pub gates: Vec<Gate>,
    /// The fencing epoch of the process that creates the run; actions carry it.
    pub epoch: u64,
}

/// One node of the run's task tree. A node that is another's parent is a group:
/// it does no work of its own, and its status is what its leaves came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSpec {
    /// Its name.
    pub task_id: TaskId,
    /// The group it is part of; none hangs it directly below the root.
    pub parent: Option<TaskId>,
    /// What the plan says of it; of a group only key and title are read.
    pub plan: PlanTask,
    /// The nodes that must be completed before it (or, for a group, any leaf of it) begins.
    /// To depend on a group is to depend on all its leaves.
    pub depends: Vec<TaskId>,
}
