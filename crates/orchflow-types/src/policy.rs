//! What may be done: decisions on commands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a policy says. Deny beats ask beats allow.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Go on.
    Allow,
    /// A person decides.
    Ask,
    /// No.
    Deny,
}

/// The answer of `policy.check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyAnswer {
    /// What the policy says.
    pub decision: Decision,
    /// The rule that decided, as `FILE:N` (the N-th rule of that file, from 1); none when no rule spoke.
    pub rule: Option<String>,
    /// Why, for a person.
    pub reason: String,
    /// The simple commands found in the line, words unquoted; empty when it could not be parsed.
    pub parsed: Vec<Vec<String>>,
}
