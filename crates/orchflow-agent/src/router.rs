//! The router by rules: plain words to a type of work, a command and a confidence.

use orchflow_protocol::agent::RouteResult;
use orchflow_types::AgentType;
use orchflow_types::project::Project;

/// Says what kind of work the words ask for. Takes well under a millisecond.
#[must_use]
pub fn route(input: &str, project: Option<&Project>) -> RouteResult {
    let _ = (input, project);
    RouteResult {
        agent_type: AgentType::Dev,
        suggested_command: None,
        confidence: 0.0,
        reason: String::new(),
    }
}
