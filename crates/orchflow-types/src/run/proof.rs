//! What proves a leaf: gates that orchflow runs, audits by other agents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PaneId;
use crate::project::TestSummary;

/// What an auditor answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// It may be merged.
    Approved,
    /// It may not, for the findings given.
    NeedsWork,
}

/// How bad a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be mended.
    Warning,
    /// Must be mended.
    Error,
}

/// One thing an auditor or a gate found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file, relative to the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What would mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// The whole answer of an auditor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// Whether it may be merged.
    pub verdict: Verdict,
    /// What was found.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// That an auditor refused a leaf's work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The rounds of fixing the work had had by then.
    pub iteration: u32,
    /// The auditor by name.
    pub auditor: Option<String>,
    /// What was found.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// A gate: a command orchflow itself runs to prove a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// Its name in reports: `build`, `lint`, `test`.
    pub name: String,
    /// The exact words; no shell reads them.
    pub argv: Vec<String>,
    /// Where, relative to the worktree's root; empty is the root.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dir: String,
    /// The tool whose output it prints (see `ProjectCommand::framework`).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub framework: String,
}

/// What a gate (or a leaf's own command) said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateResult {
    /// Its name.
    pub name: String,
    /// The exact words.
    pub argv: Vec<String>,
    /// Its exit code.
    pub exit_code: i32,
    /// How long it took.
    pub duration_ms: u64,
    /// The pane that holds its output.
    pub pane_id: Option<PaneId>,
    /// What its test tool said, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestSummary>,
    /// The end of its output, when it is red.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tail: String,
}

impl GateResult {
    /// Whether it exited with 0.
    #[must_use]
    pub const fn green(&self) -> bool {
        self.exit_code == 0
    }
}
