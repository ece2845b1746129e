//! Which agents are on this machine.

use orchflow_types::agent::FoundAgent;

use crate::AgentConfig;

/// Looks for every agent of `configs`, all at once.
pub async fn discover(configs: &[AgentConfig]) -> Vec<FoundAgent> {
    let _ = configs;
    Vec::new()
}

/// Whether the agent's program is there; looks at `PATH` only.
#[must_use]
pub fn present(config: &AgentConfig) -> bool {
    let _ = config;
    false
}
