//! What a run wants done, and what came of it.
//!
//! An action is committed before it is performed. Its key is the idempotency key, its
//! epoch the fencing token: whoever performs it answers with both.

use std::fmt;

use orchflow_types::event::NewEvent;
use orchflow_types::run::{Audit, Finding, Gate, GateResult, Landing};
use orchflow_types::{PaneId, Role, TaskId};
use serde::{Deserialize, Serialize};

/// The name of an action: `TASK/STEP/N`, or `RUN/STEP/N` for a step of the whole run.
/// `N` counts the actions of that task (or run) from 0, so a key is never used twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionKey(String);

impl ActionKey {
    /// The key of the `n`-th action of `owner`, a task or a run.
    pub(crate) fn new(owner: impl fmt::Display, step: &Step, n: u32) -> Self {
        Self(format!("{owner}/{}/{n}", step.name()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ActionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing to perform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Its name, and the idempotency key of its effect.
    pub key: ActionKey,
    /// The fencing epoch it was handed out with.
    pub epoch: u64,
    /// The leaf it is for; none is the whole run.
    pub task: Option<TaskId>,
    /// What to do.
    pub step: Step,
}

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Make the plan; answered by `Command::Planned` or `Command::PlanFailed`.
    Plan,
    /// Put the plan before a person; answered by `Command::Approve` or `Command::Reject`.
    AskApproval,
    /// Settle the base commit and make the run's integration branch and worktree.
    /// Handed out only when some leaf writes.
    OpenRun,
    /// Wait a while for room, when a step found none; then what is held is tried again.
    AwaitRoom {
        /// How many waits of the run came before it: the later, the longer.
        waits: u32,
    },
    /// Make the leaf's worktree from the integration branch as it stands.
    PrepareLeaf,
    /// Let an agent (or the leaf's own command) work.
    Execute {
        /// [`Role::Executor`] for the first round, [`Role::Consultant`] for rounds of fixing.
        role: Role,
        /// The agent by name; none is the leaf's own command, run by a tool.
        agent: Option<String>,
        /// Which turn of the leaf this is, from 0; fallbacks and fixing rounds count.
        turn: u32,
        /// Which round of fixing this is; 0 is the work itself.
        iteration: u32,
        /// What the auditor found.
        findings: Vec<Finding>,
        /// The gates that are red.
        red_gates: Vec<GateResult>,
    },
    /// Run one of the project's checks in the leaf's worktree.
    Gate {
        /// Which.
        gate: Gate,
        /// Its place in the run's gates, from 0.
        index: u32,
    },
    /// Let another agent review the leaf's work.
    Audit {
        /// The auditor by name.
        agent: String,
        /// The round of fixing it reviews.
        iteration: u32,
    },
    /// Commit the leaf's work on its own branch.
    Commit,
    /// Bring the leaf's commit into the integration branch and prove the merged state.
    Merge,
    /// Bring the integration branch to the user's, as the run's options allow.
    Land,
    /// Remove the worktree of the leaf (or, for the whole run, of the integration branch);
    /// what is not committed is saved to a ref first.
    Clean,
}

impl Step {
    /// Its name in keys and events.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::AskApproval => "ask_approval",
            Self::OpenRun => "open_run",
            Self::AwaitRoom { .. } => "await_room",
            Self::PrepareLeaf => "prepare_leaf",
            Self::Execute { .. } => "execute",
            Self::Gate { .. } => "gate",
            Self::Audit { .. } => "audit",
            Self::Commit => "commit",
            Self::Merge => "merge",
            Self::Land => "land",
            Self::Clean => "clean",
        }
    }

    /// Whether it may be ended midway. The steps that change the repository are short
    /// and leave it half-made when killed, so they are let finish.
    #[must_use]
    pub const fn can_be_stopped(&self) -> bool {
        matches!(
            self,
            Self::Plan
                | Self::AskApproval
                | Self::AwaitRoom { .. }
                | Self::Execute { .. }
                | Self::Gate { .. }
                | Self::Audit { .. }
        )
    }

    /// Whether it only waits, for a person or for room: nothing of the run is under way by
    /// it, and it may be withdrawn, after which its answer is no longer awaited.
    #[must_use]
    pub const fn only_waits(&self) -> bool {
        matches!(self, Self::AskApproval | Self::AwaitRoom { .. })
    }
}

/// The user's own checkout as it stood when a run was opened: what a landing may move on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onto {
    /// The branch that was checked out; none when HEAD was detached.
    pub branch: Option<String>,
    /// The commit that was checked out.
    pub tip: String,
}

/// What a performed action came to. Plans come by `Command::Planned` instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Of [`Step::OpenRun`].
    Opened {
        /// The commit the run's work starts from.
        base: String,
        /// The integration branch.
        branch: String,
        /// The user's checkout at that moment; journals of before it was noted have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        onto: Option<Onto>,
    },
    /// Of [`Step::AwaitRoom`]: it has waited long enough to try again.
    Waited,
    /// Of [`Step::PrepareLeaf`].
    Prepared {
        /// The leaf's worktree, absolute.
        worktree: String,
        /// The commit it starts from.
        base: String,
    },
    /// Of [`Step::Execute`]: the agent or tool came to its end.
    Executed {
        /// The pane that holds what it said.
        pane: Option<PaneId>,
        /// Whether the worktree now differs from its base.
        changed: bool,
        /// What it says it did, in a line or two; empty when it said nothing.
        summary: String,
        /// For leaves a tool runs: its exit code is the truth.
        gate: Option<GateResult>,
    },
    /// Of [`Step::Gate`], green or red.
    Gated(GateResult),
    /// Of [`Step::Audit`]: an answer that could be read.
    Audited(Audit),
    /// Of [`Step::Commit`].
    Committed {
        /// The commit on the leaf's branch; none when there was nothing to commit.
        commit: Option<String>,
    },
    /// Of [`Step::Merge`]: merged, and the merged state is green.
    Merged {
        /// The commit on the integration branch.
        commit: String,
    },
    /// Of [`Step::Merge`]: it does not go together; nothing was merged.
    MergeConflict {
        /// The files in conflict, relative to the project.
        files: Vec<String>,
    },
    /// Of [`Step::Merge`]: it goes together but the result is red; nothing was merged.
    MergedRed(GateResult),
    /// Of [`Step::Land`], whether the user's branch took it or not.
    Landed(Landing),
    /// Of [`Step::Clean`].
    Cleaned {
        /// The ref that keeps what was not committed, if there was any.
        saved_ref: Option<String>,
    },
    /// Of any step: it could not be done.
    Failed {
        /// What that means for the leaf and the run.
        failure: Failure,
        /// Why, for a person.
        reason: String,
    },
}

impl Outcome {
    /// Its name in refusals.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Waited => "waited",
            Self::Prepared { .. } => "prepared",
            Self::Executed { .. } => "executed",
            Self::Gated(_) => "gated",
            Self::Audited(_) => "audited",
            Self::Committed { .. } => "committed",
            Self::Merged { .. } => "merged",
            Self::MergeConflict { .. } => "merge_conflict",
            Self::MergedRed(_) => "merged_red",
            Self::Landed(_) => "landed",
            Self::Cleaned { .. } => "cleaned",
            Self::Failed { .. } => "failed",
        }
    }
}

/// What a failure means for what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The agent could not do it: the next of its role's chain is tried.
    Agent,
    /// It did not end in its time: the next of its role's chain is tried.
    TimedOut,
    /// It was stopped on purpose: the leaf is cancelled.
    Cancelled,
    /// A policy said no: the leaf fails.
    Denied,
    /// The machine or the repository would not: the leaf fails.
    Environment,
    /// There is no room: the run pauses, and the step is tried again after a while
    /// ([`Step::AwaitRoom`]), or when a person resumes the run.
    NoRoom,
}

/// What a command made the machine want.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effects {
    /// What to perform, in this order.
    pub actions: Vec<Action>,
    /// Actions in flight to end; each still owes its outcome (but for those that only
    /// wait, which are simply withdrawn).
    pub stop: Vec<ActionKey>,
    /// Actions that are settled without a `Command::Done` of theirs: a plan or an answer
    /// came by a command of its own, or the action was withdrawn.
    pub settled: Vec<ActionKey>,
    /// What has happened, oldest first.
    pub events: Vec<NewEvent>,
    /// Leaves and groups whose view or status changed, each once, in tree order.
    pub touched: Vec<TaskId>,
    /// Whether something of the run itself changed (status, base, landing, reason).
    pub run_changed: bool,
}
