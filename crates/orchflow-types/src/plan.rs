//! A plan: what an architect (or the rules) proposes and a person approves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AgentType;

/// The plan of a run. Its Markdown form is `.orchflow/plan.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// What was asked for, in the user's words.
    pub goal: String,
    /// The leaves, in the order they are shown.
    pub tasks: Vec<PlanTask>,
    /// What the planner wants the person to know: an assumption, a thing it left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The architect that made it; none is the rules, or a person. The Markdown form leaves
    /// it out: a plan that comes back from there is a person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// One leaf of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanTask {
    /// Its name within the plan: lower-case words with hyphens, unique (`run-tests`).
    pub key: String,
    /// One line.
    pub title: String,
    /// All that the agent should know; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The kind of work.
    pub agent_type: AgentType,
    /// The agent by name; none takes the executor's chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The exact words a tool runs; no shell reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Where it runs, relative to the project's root; empty is the root.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dir: String,
    /// Whether it may change a source file (then it gets a worktree).
    pub writes: bool,
    /// Paths it will likely change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Keys of the leaves that must be completed first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<String>,
    /// Why the planner put it there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl PlanTask {
    /// A leaf of which nothing but this is said: work for an agent, which may change files.
    #[must_use]
    pub fn new(key: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            title: title.into(),
            description: String::new(),
            agent_type: AgentType::Dev,
            agent: None,
            command: Vec::new(),
            dir: String::new(),
            writes: true,
            files: Vec::new(),
            depends: Vec::new(),
            reason: String::new(),
        }
    }
}

impl Plan {
    /// A plan without notes, by the rules or a person.
    #[must_use]
    pub fn new(goal: impl Into<String>, tasks: Vec<PlanTask>) -> Self {
        Self { goal: goal.into(), tasks, notes: Vec::new(), by: None }
    }

    /// Whether no leaf may change a source file: such a plan of the rules needs no approval,
    /// since asking for the goal is the consent to the commands it shows.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        self.tasks.iter().all(|task| !task.writes)
    }
}
