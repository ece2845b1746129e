//! `agent.*`: who can do the work, and who should.

use orchflow_types::AgentType;
use orchflow_types::agent::FoundAgent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::{Empty, method};

method! {
    /// Lists the types of work an agent can be asked for.
    Types = "agent.types", Read, Empty => TypesResult
}
method! {
    /// Lists the agents that were looked for on this machine, found or not.
    List = "agent.list", Read, ListParams => ListResult
}
method! {
    /// Turns plain words into a type of work and a command, by rules, with the reason.
    Route = "agent.route", Read, RouteParams => RouteResult
}

/// Answer of `agent.types`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TypesResult {
    /// The types.
    pub types: Vec<TypeInfo>,
}

/// One type of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TypeInfo {
    /// Its name.
    pub name: AgentType,
    /// What it is for.
    pub description: String,
}

/// Params of `agent.list`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// The project whose configuration counts, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
}

/// Answer of `agent.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// The agents, usable ones first.
    pub agents: Vec<FoundAgent>,
}

/// Params of `agent.route`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteParams {
    /// What should be done, in plain words.
    pub input: String,
    /// Where.
    #[serde(default)]
    pub context: RouteContext,
}

/// Where words are to be understood.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RouteContext {
    /// The project's folder, absolute; without one no command is suggested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
}

/// Answer of `agent.route`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteResult {
    /// The type of work.
    pub agent_type: AgentType,
    /// The command a tool would run, as a shell would read it; none for work without one.
    pub suggested_command: Option<String>,
    /// 0 to 1.
    pub confidence: f64,
    /// Why: the words that decided and where the command comes from.
    pub reason: String,
}
