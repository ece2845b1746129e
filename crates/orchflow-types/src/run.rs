//! Runs: what happens to a task, from the plan to the merge.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{Plan, PlanTask};
use crate::task::TaskStatus;
use crate::{PaneId, Role, RunId, TaskId, Timestamp};

mod proof;

pub use proof::{Audit, Finding, Gate, GateResult, Refusal, Severity, Verdict};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// An architect (or the rules) makes the plan.
    Planning,
    /// A person has to approve the plan.
    AwaitingApproval,
    /// Leaves are at work.
    Running,
    /// Nothing new is begun until it is resumed.
    Paused,
    /// What succeeded is being brought to the user's branch.
    Landing,
    /// Every leaf succeeded.
    Succeeded,
    /// Some leaves succeeded.
    Partial,
    /// No leaf succeeded, or there was no plan.
    Failed,
    /// A person stopped it.
    Cancelled,
}

impl RunStatus {
    /// Whether nothing of the run will change any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Partial | Self::Failed | Self::Cancelled)
    }

    /// Its spelling on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Landing => "landing",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where a leaf stands in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeafPhase {
    /// It waits for what it depends on, or for a free slot.
    #[default]
    Waiting,
    /// Its worktree is being made.
    Preparing,
    /// An agent is at work.
    Executing,
    /// The project's own build, lint and tests judge it.
    Gating,
    /// Another agent reviews it.
    Auditing,
    /// An agent mends what a gate or the auditor found.
    Fixing,
    /// It is being committed on its branch.
    Committing,
    /// It stands in the merge queue or is being merged.
    Merging,
    /// Nothing of it will change any more.
    Done,
}

/// How many leaves work at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// One leaf that changes files at a time; leaves that only look go side by side.
    #[default]
    Sequential,
    /// As many as `max_concurrency` allows, each in its own worktree.
    Parallel,
}

/// What a run may and must do; settled when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RunOptions {
    /// How many leaves work at once.
    pub mode: RunMode,
    /// The most leaves at work at the same time; at least 1.
    pub max_concurrency: u32,
    /// The most rounds of fixing after a red gate or a refusing audit.
    pub max_iterations: u32,
    /// Whether a plan that changes files goes on without a person's approval.
    pub auto_approve: bool,
    /// Whether the result is brought to the user's branch; else it stays on `orchflow/RUN`.
    pub commit: bool,
    /// Start from a snapshot of the working tree instead of HEAD.
    pub from_working_tree: bool,
    /// Minutes in which something of the run is under way, all together; 0 is no limit. Time
    /// in which it waits (for an approval, paused, for room, for a daemon) does not count.
    pub minutes: u32,
    /// Seconds one turn of an agent may take; 0 is no limit.
    pub turn_seconds: u32,
    /// Seconds an agent may be silent before it counts as hung; 0 is no limit.
    pub idle_seconds: u32,
    /// Agents by role, tried in order.
    pub chains: BTreeMap<Role, Vec<String>>,
    /// How each agent was started when the run was asked for: its program's path, then the
    /// words of its template. To start one otherwise is another question.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, Vec<String>>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            mode: RunMode::Sequential,
            max_concurrency: 4,
            max_iterations: 3,
            auto_approve: false,
            commit: true,
            from_working_tree: false,
            minutes: 120,
            turn_seconds: 1800,
            idle_seconds: 600,
            chains: BTreeMap::new(),
            agents: BTreeMap::new(),
        }
    }
}

/// One leaf of a run, as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leaf {
    /// The task it is.
    pub task_id: TaskId,
    /// What the plan says of it.
    pub plan: PlanTask,
    /// How it ended, or that it has not.
    pub status: TaskStatus,
    /// Where it stands in its chain.
    pub phase: LeafPhase,
    /// The agent at work, or the last that was.
    pub agent: Option<String>,
    /// The agent whose work it is; none when its own command did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    /// The agent that reviewed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auditor: Option<String>,
    /// Rounds of fixing so far.
    pub iteration: u32,
    /// The pane to look at.
    pub pane_id: Option<PaneId>,
    /// Where it works, absolute; none for leaves that only look.
    pub worktree: Option<String>,
    /// What its gates (or its own command) said last.
    pub gates: Vec<GateResult>,
    /// What the auditor said last; none is "gates only".
    pub audit: Option<Audit>,
    /// Each time an auditor refused it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
    /// The commit on the run's branch.
    pub commit: Option<String>,
    /// Why it failed, was skipped or cancelled.
    pub reason: Option<String>,
    /// What happened to it that the report should tell (an agent that gave up, a lost worktree).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Leaf {
    /// A leaf that nobody has begun.
    #[must_use]
    pub const fn new(task_id: TaskId, plan: PlanTask) -> Self {
        Self {
            task_id,
            plan,
            status: TaskStatus::Pending,
            phase: LeafPhase::Waiting,
            agent: None,
            executor: None,
            auditor: None,
            iteration: 0,
            pane_id: None,
            worktree: None,
            gates: Vec::new(),
            audit: None,
            refused: Vec::new(),
            commit: None,
            reason: None,
            notes: Vec::new(),
        }
    }
}

/// How the result came to the user's branch, or why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Landing {
    /// Whether the user's branch now has it.
    pub merged: bool,
    /// Why not.
    pub reason: Option<String>,
    /// The one command that takes it.
    pub command: Option<String>,
    /// The branch it is on: the user's when merged, else `orchflow/RUN`.
    pub branch: String,
    /// The commits the run made, oldest first.
    pub commits: Vec<String>,
}

/// Who makes a run's plan at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Planner {
    /// The architect by name.
    pub agent: String,
    /// The pane to look at, once there is one.
    pub pane_id: Option<PaneId>,
}

/// A run as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Its name.
    pub run_id: RunId,
    /// The root of its task tree.
    pub task_id: TaskId,
    /// What was asked for.
    pub goal: String,
    /// The project's root, absolute.
    pub project: String,
    /// Where it stands.
    pub status: RunStatus,
    /// What it may and must do.
    pub options: RunOptions,
    /// The architect at work on the plan, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planner: Option<Planner>,
    /// The plan, once there is one.
    pub plan: Option<Plan>,
    /// Its leaves, in the plan's order.
    pub leaves: Vec<Leaf>,
    /// The commit its work starts from, when it changes files.
    pub base: Option<String>,
    /// How it came to the user's branch.
    pub landing: Option<Landing>,
    /// Why it failed or was cancelled.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}
