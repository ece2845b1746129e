//! What can be said to a run. A journal is a list of `(at, Command)`: replayed in
//! order it gives the same state on every machine.

use orchflow_types::plan::Plan;
use orchflow_types::{ErrorKind, TaskId};
use serde::{Deserialize, Serialize};

use crate::action::{ActionKey, Outcome};
use crate::spec::{NodeSpec, Spec};

/// One thing said to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// The run begins; always the first command of a journal, and only there.
    Create(Spec),
    /// The planner answered.
    Planned {
        /// What it proposes.
        plan: Plan,
        /// The same as nodes with ids: leaves in the plan's order, groups anywhere.
        nodes: Vec<NodeSpec>,
    },
    /// No plan could be made.
    PlanFailed {
        /// What kind of failure it was.
        kind: ErrorKind,
        /// Why, for a person.
        reason: String,
    },
    /// A person (or a policy) approves the plan.
    Approve {
        /// The plan as the person edited it, with its nodes; none takes it as proposed.
        plan: Option<(Plan, Vec<NodeSpec>)>,
    },
    /// A person does not want the plan.
    Reject {
        /// Why.
        reason: String,
    },
    /// An action was performed, or could not be.
    Done {
        /// Which.
        key: ActionKey,
        /// The epoch it was handed out with; another one is refused as stale.
        epoch: u64,
        /// What it came to.
        outcome: Outcome,
    },
    /// Nothing new begins until [`Command::Resume`]; what is in flight goes on.
    Pause,
    /// The run goes on.
    Resume,
    /// The run stops: what is in flight is ended, its work saved, its worktrees cleaned.
    Cancel {
        /// Why.
        reason: String,
    },
    /// A new process took the run over: every action in flight is handed out again.
    Restart {
        /// The fencing epoch of the new process, greater than the one before.
        epoch: u64,
    },
    /// The run's minutes are over.
    Deadline,
    /// Something was seen around a turn that its report has to tell.
    Noticed {
        /// The leaf whose turn it was.
        task: TaskId,
        /// What, for a person.
        note: String,
    },
    /// A fault of orchflow itself: the run ends as failed, its work saved.
    Broken {
        /// What happened, for a person.
        reason: String,
    },
}

impl Command {
    /// Its name in refusals and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Planned { .. } => "planned",
            Self::PlanFailed { .. } => "plan_failed",
            Self::Approve { .. } => "approve",
            Self::Reject { .. } => "reject",
            Self::Done { .. } => "done",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel { .. } => "cancel",
            Self::Restart { .. } => "restart",
            Self::Deadline => "deadline",
            Self::Noticed { .. } => "noticed",
            Self::Broken { .. } => "broken",
        }
    }
}
