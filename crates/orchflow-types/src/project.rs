//! What a project folder is and how it is built, tested, linted and formatted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AgentType;

/// Answer of `project.detect`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Project {
    /// The project's root, absolute.
    pub root: String,
    /// The kinds of project found there: `cargo`, `npm`, `pnpm`, `yarn`, `python`.
    pub ecosystems: Vec<String>,
    /// The commands, best first within each purpose.
    pub commands: Vec<ProjectCommand>,
}

/// One command a project has for one purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectCommand {
    /// Build, Test, Lint or Format.
    pub purpose: AgentType,
    /// The exact words; no shell reads them.
    pub argv: Vec<String>,
    /// Where to run it, relative to the root; empty is the root.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dir: String,
    /// The tool whose output it prints: `cargo-test`, `nextest`, `pytest`, `unittest`, `clippy`, `ruff`, `npm`, …
    pub framework: String,
    /// The safe form that mends what this one finds, if the tool has one (`ruff check --fix`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fix_argv: Vec<String>,
    /// Why it was chosen: the file and the line or key that said so.
    pub reason: String,
    /// 0 to 1.
    pub confidence: f64,
    /// Whether the program is there to be run.
    pub available: bool,
    /// The command that installs the program, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
}

/// What a test tool's output said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TestSummary {
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that were left out.
    pub skipped: u32,
    /// The names of those that failed, as the tool spells them, at most 100.
    pub failing: Vec<String>,
}
