//! `run.*`: from words to a tested commit.

use std::collections::BTreeMap;

use orchflow_types::plan::Plan;
use orchflow_types::run::{Run, RunMode, RunStatus};
use orchflow_types::{Role, RunId, TaskId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::git::{RescueParams, RescueResult};
use crate::method::{Access, Method, method};

method! {
    /// Starts a run of a goal: plans it, waits for approval where files would change, and works.
    /// With `auto_approve` it needs the access that `run.approve` needs.
    Start = "run.start", Run, StartParams => StartResult, access |params| params.choices.access()
}
method! {
    /// Makes the plan of a goal and starts nothing.
    MakePlan = "run.plan", Read, PlanParams => PlanResult
}
method! {
    /// Tells all that is known of a run.
    Get = "run.get", Read, RunParams => Run
}
method! {
    /// Lists runs, newest first.
    List = "run.list", Read, ListParams => ListResult
}
method! {
    /// Approves a run's plan, as it is or as given; the first answer wins.
    Approve = "run.approve", Approve, ApproveParams => Run, order |params| params.run_id
}
method! {
    /// Rejects a run's plan; the run is cancelled and nothing was changed.
    Reject = "run.reject", Approve, RejectParams => Run, order |params| params.run_id
}
method! {
    /// Begins nothing new in a run until it is resumed; what is under way goes on.
    Pause = "run.pause", Run, RunParams => Run, order |params| params.run_id
}
method! {
    /// Goes on with a paused run.
    Resume = "run.resume", Run, RunParams => Run, order |params| params.run_id
}
method! {
    /// Stops a run: ends its agents, saves what is uncommitted, removes its worktrees.
    Cancel = "run.cancel", Run, CancelParams => Run, order |params| params.run_id
}
method! {
    /// Tells what was done, by whom, proven how, and where the diff is, as text.
    Report = "run.report", Read, RunParams => ReportResult
}
method! {
    /// Lists work that was saved before a worktree or branch went, and restores one of it.
    Rescue = "run.rescue", Run, RescueParams => RescueResult
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunParams {
    /// Which.
    pub run_id: RunId,
}

/// What a caller chose for a run; what is left out comes from configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Choices {
    /// How many leaves work at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<RunMode>,
    /// The most leaves at work at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
    /// The most rounds of fixing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_iterations: Option<u32>,
    /// Whether a plan that changes files goes on without a person's approval; saying yes here
    /// is approving, and needs that access.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_approve: Option<bool>,
    /// Whether the result is brought to the user's branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<bool>,
    /// Start from a snapshot of the working tree instead of HEAD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_working_tree: Option<bool>,
    /// Minutes the whole run may work; waiting does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// Agents by role, tried in order; a role given here replaces its configured chain.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<Role, Vec<String>>,
}

impl Choices {
    /// The access they need: who says that a plan goes on without approval approves it.
    #[must_use]
    pub fn access(&self) -> Access {
        if self.auto_approve == Some(true) { Approve::ACCESS } else { Start::ACCESS }
    }
}

/// Params of `run.start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartParams {
    /// What should be done, in plain words; not empty.
    pub goal: String,
    /// The project's folder, absolute.
    pub dir: String,
    /// What the caller chose.
    #[serde(default)]
    pub choices: Choices,
    /// A plan made before, used instead of planning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
}

/// Answer of `run.start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StartResult {
    /// The new run.
    pub run_id: RunId,
    /// The root of its task tree.
    pub task_id: TaskId,
}

/// Params of `run.plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanParams {
    /// What should be done, in plain words.
    pub goal: String,
    /// The project's folder, absolute.
    pub dir: String,
}

/// Answer of `run.plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanResult {
    /// The plan.
    pub plan: Plan,
    /// The same as Markdown, as `.orchflow/plan.md` has it.
    pub markdown: String,
    /// What stands in the way of running it: no agent, no repository.
    pub obstacles: Vec<String>,
}

/// Params of `run.list`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// Only those that stand here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<RunStatus>,
    /// Only those of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The most to answer; 100 when not said, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `run.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// The runs, without their leaves.
    pub runs: Vec<Summary>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// A run in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Its name.
    pub run_id: RunId,
    /// What was asked for.
    pub goal: String,
    /// The project's root.
    pub project: String,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// Params of `run.approve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveParams {
    /// Which.
    pub run_id: RunId,
    /// The plan as the person changed it; none approves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The same as Markdown; an error names its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markdown: Option<String>,
}

/// Params of `run.reject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectParams {
    /// Which.
    pub run_id: RunId,
    /// Why, for the report.
    #[serde(default)]
    pub reason: String,
}

/// Params of `run.cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelParams {
    /// Which.
    pub run_id: RunId,
    /// Why, for the report.
    #[serde(default)]
    pub reason: String,
}

/// Answer of `run.report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportResult {
    /// The report as Markdown.
    pub markdown: String,
    /// The run it tells of.
    pub run: Run,
}
