//! `policy.*`: what may be done.

use orchflow_types::policy::PolicyAnswer;
use orchflow_types::{RunId, TaskId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::method;

method! {
    /// Decides on a command: allow, ask or deny, with the rule and the reason.
    Check = "policy.check", Read, CheckParams => PolicyAnswer
}

/// Params of `policy.check`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckParams {
    /// The exact words, when no shell will read them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// A command line, when a shell will read it; one of `argv` and `line` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The agent that wants to; rules may name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The folder it is started in; absolute. Without a run it is the project whose policies
    /// count, too, when it is trusted; none is the project of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// A policy file's text that is used instead of every other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The run on whose behalf: the policies of its project count, and what its goal was shown
    /// with is consented to, in the folder it was shown for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The task on whose behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
}
