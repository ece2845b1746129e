//! Who does the work: kinds of agents, types of work, roles in a run.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of work a leaf is; a router turns words into one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentType {
    /// Writing or changing code.
    Dev,
    /// Running the project's tests.
    Test,
    /// Building the project.
    Build,
    /// Checking style and common mistakes.
    Lint,
    /// Bringing sources into the project's own format.
    Format,
    /// Running one command line.
    Repl,
}

impl AgentType {
    /// Its spelling on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Build => "build",
            Self::Lint => "lint",
            Self::Format => "format",
            Self::Repl => "repl",
        }
    }
}

impl fmt::Display for AgentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an agent is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AgentKind {
    /// Claude Code by its one-shot stream of JSON lines.
    ClaudeCode,
    /// Any command line, by template, in a pane.
    Command,
    /// The project's own build, test, lint and format tools; no model.
    Tool,
}

/// A part in the chain of a run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Makes the plan.
    Architect,
    /// Does the work.
    Executor,
    /// Reviews it.
    Auditor,
    /// Helps to mend what the auditor or a gate found.
    Consultant,
}

impl Role {
    /// Every role, in the order of the chain.
    pub const ALL: [Self; 4] = [Self::Architect, Self::Executor, Self::Auditor, Self::Consultant];

    /// Its spelling on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Architect => "architect",
            Self::Executor => "executor",
            Self::Auditor => "auditor",
            Self::Consultant => "consultant",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An agent as it was found (or not) on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundAgent {
    /// The name configuration and plans use.
    pub name: String,
    /// How it is driven; none when orchflow only knows its name so far.
    pub kind: AgentKind,
    /// Whether it can be used now.
    pub available: bool,
    /// What it says its version is.
    pub version: Option<String>,
    /// The program, absolute, when it was found.
    pub program: Option<String>,
    /// The command that installs or mends it, when it is not available.
    pub install: Option<String>,
    /// Why it is not available, or what is worth knowing of it.
    pub note: Option<String>,
}
