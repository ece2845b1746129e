//! The task tree: what should be done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{AgentType, TaskId, Timestamp};

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Nobody has begun.
    #[default]
    Pending,
    /// A run is at it.
    Active,
    /// It is done, and proven where it could be.
    Completed,
    /// It was tried and did not succeed.
    Failed,
    /// A person or a parent's end stopped it.
    Cancelled,
    /// Something it depends on failed, so it was never begun.
    Skipped,
}

impl TaskStatus {
    /// Whether nothing will happen to the task by itself any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::Skipped)
    }
}

/// Whether a person takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskMode {
    /// A person is at hand and may be asked.
    Interactive,
    /// It goes on by itself and asks only when stuck.
    #[default]
    Autonomous,
}

/// A node of the task tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// Its name everywhere.
    pub id: TaskId,
    /// The task it is part of; none for a root.
    pub parent_id: Option<TaskId>,
    /// One line.
    pub title: String,
    /// All that should be known to do it; may be empty.
    pub description: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// Whether a person takes part.
    pub mode: TaskMode,
    /// What is said of how to do it.
    #[serde(default)]
    pub spec: TaskSpec,
    /// Its place among its siblings, from 0.
    pub position: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
    /// Free for clients; orchflow keeps it and does not read it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// How a leaf is to be done: everything an agent needs beside title and description.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TaskSpec {
    /// The kind of work; none leaves it to the router.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<AgentType>,
    /// The agent wished for, by the name configuration gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The exact words to run, for leaves a tool does; no shell reads them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Paths it will likely change, relative to the project.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Tasks that must be completed first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<TaskId>,
}
