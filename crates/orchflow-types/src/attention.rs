//! What waits for a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AttentionId, RunId, TaskId, Timestamp};

/// Why a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// A plan wants approval.
    Plan,
    /// A command wants to run and policy says: ask.
    Permission,
    /// A step was under way when the daemon died and must not be done twice unasked.
    Parked,
}

/// One question in the attention queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attention {
    /// Its name.
    pub attention_id: AttentionId,
    /// Why a person is asked.
    pub kind: AttentionKind,
    /// The run it holds up.
    pub run_id: Option<RunId>,
    /// The task it holds up.
    pub task_id: Option<TaskId>,
    /// The question, whole, with control characters escaped.
    pub question: String,
    /// The answers it takes (`once`, `always`, `never`; `approve`, `reject`).
    pub options: Vec<String>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// What was answered, once it was.
    pub answer: Option<String>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
}
