//! `task.*`: the task tree.

use orchflow_types::task::{Task, TaskMode, TaskSpec, TaskStatus};
use orchflow_types::{AgentType, RunId, TaskId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::method::method;
use crate::run::Choices;

method! {
    /// Creates a task, as a root or below another.
    Create = "task.create", Run, CreateParams => Task
}
method! {
    /// Tells all that is known of a task.
    Get = "task.get", Read, TaskParams => Task
}
method! {
    /// Lists the children of a task, or the roots, page by page.
    List = "task.list", Read, ListParams => ListResult
}
method! {
    /// Answers a task and all below it, parents before children.
    Tree = "task.tree", Read, TaskParams => TreeResult
}
method! {
    /// Changes what is given of a task.
    Update = "task.update", Run, UpdateParams => Task, order |params| params.task_id
}
method! {
    /// Gives a task another parent or another place among its siblings.
    Move = "task.move", Run, MoveParams => Task
}
method! {
    /// Deletes a task and all below it; refused while a run is at it.
    Delete = "task.delete", Run, TaskParams => DeleteResult, order |params| params.task_id
}
method! {
    /// Starts a run of a task as it stands in the tree: its leaves, their dependencies.
    /// With `auto_approve` it needs the access that `run.approve` needs.
    Start = "task.start", Run, StartParams => StartResult, order |params| params.task_id,
    access |params| params.choices.access()
}
method! {
    /// Marks a task as completed by a person's word.
    Complete = "task.complete", Run, TaskParams => Task, order |params| params.task_id
}
method! {
    /// Cancels a task and all below it, with the run that is at it.
    Cancel = "task.cancel", Run, TaskParams => Task, order |params| params.task_id
}
method! {
    /// Answers a task and all below it in the shape that `task.import` takes.
    Export = "task.export", Read, TaskParams => Node
}
method! {
    /// Creates a whole tree of tasks at once.
    Import = "task.import", Run, ImportParams => ImportResult
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskParams {
    /// Which.
    #[serde(alias = "taskId")]
    pub task_id: TaskId,
}

/// Params of `task.create`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateParams {
    /// One line; not empty.
    pub title: String,
    /// The parent; none makes a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<TaskId>,
    /// All that should be known to do it.
    #[serde(default)]
    pub description: String,
    /// Whether a person takes part.
    #[serde(default)]
    pub mode: TaskMode,
    /// How it is to be done.
    #[serde(default)]
    pub spec: TaskSpec,
    /// Free for the client.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// Params of `task.list`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// The parent; none lists roots, newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<TaskId>,
    /// Only those that stand here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<TaskStatus>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The most to answer; 100 when not said, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `task.list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// Answer of `task.tree`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TreeResult {
    /// The task first, then all below it, parents before children, siblings in order.
    pub tasks: Vec<Task>,
}

/// Params of `task.update`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateParams {
    /// Which.
    #[serde(alias = "taskId")]
    pub task_id: TaskId,
    /// Its new title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its new description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its new mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<TaskMode>,
    /// Its new spec, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<TaskSpec>,
    /// Its new metadata, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

/// Params of `task.move`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveParams {
    /// Which.
    #[serde(alias = "taskId")]
    pub task_id: TaskId,
    /// The new parent; none makes it a root.
    pub parent_id: Option<TaskId>,
    /// Its place among the new siblings, from 0; none is the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
}

/// Answer of `task.delete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeleteResult {
    /// Tasks that went away.
    pub deleted: u64,
}

/// Params of `task.start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartParams {
    /// Which.
    #[serde(alias = "taskId")]
    pub task_id: TaskId,
    /// The project's folder, absolute.
    pub dir: String,
    /// What the caller chose; the rest comes from configuration.
    #[serde(default)]
    pub choices: Choices,
}

/// Answer of `task.start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StartResult {
    /// The new run.
    pub run_id: RunId,
}

/// A task with all below it, as imported and exported.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its id; given by an export, ignored by an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<TaskId>,
    /// One line; not empty.
    pub title: String,
    /// All that should be known to do it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether a person takes part.
    #[serde(default)]
    pub mode: TaskMode,
    /// Where it stood; given by an export, ignored by an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<TaskStatus>,
    /// The kind of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<AgentType>,
    /// The agent by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The exact words a tool runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Paths it will likely change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Titles (unique in this tree) or ids of tasks of this tree that come first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<String>,
    /// Free for the client.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Its children, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
}

/// Params of `task.import`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportParams {
    /// The tree.
    pub tree: Node,
    /// The parent to put it under; none makes a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<TaskId>,
}

/// Answer of `task.import`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportResult {
    /// The tree's root.
    pub task_id: TaskId,
    /// Tasks that were created.
    pub created: u64,
}
