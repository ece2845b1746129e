//! The one trait behind which every agent stands, and what it is given to work with.

use std::sync::Arc;

use async_trait::async_trait;
use orchflow_client::Client;
use orchflow_runtime::CancellationToken;
use orchflow_types::{AgentKind, PaneId, RunId, TaskId};

use crate::claude_code::ClaudeCode;
use crate::command::Command;
use crate::tool::Tool;
use crate::{AgentConfig, Outcome, Turn};

/// Drives one agent.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// How the agent is driven.
    fn kind(&self) -> AgentKind;
    /// Lets the agent take one turn. Asks for permission before anything is started, and
    /// leaves no process behind, however the turn ends.
    async fn turn(&self, cx: &Cx, turn: &Turn) -> Outcome;
}

/// The adapter that drives this agent.
#[must_use]
pub fn adapter(config: &AgentConfig) -> Arc<dyn Adapter> {
    let config = config.clone();
    match config.kind {
        AgentKind::ClaudeCode => Arc::new(ClaudeCode::new(config)),
        AgentKind::Command => Arc::new(Command::new(config)),
        AgentKind::Tool => Arc::new(Tool::new(config)),
    }
}

/// What a turn is given to work with.
#[derive(Clone)]
pub struct Cx {
    /// The manager.
    pub client: Client,
    /// Who says whether a command may be started.
    pub permission: Arc<dyn Permission>,
    /// Calls the turn off.
    pub cancel: CancellationToken,
    /// Who wants to look on.
    pub watch: Arc<dyn Watch>,
}

/// Says whether a command may be started: by policy, by a person.
#[async_trait]
pub trait Permission: Send + Sync {
    /// Answers when it is decided, which may take as long as a person takes.
    ///
    /// # Errors
    /// [`Refused`] when it may not be started.
    async fn permit(&self, request: &Request) -> Result<(), Refused>;
}

/// A command that wants to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The agent that wants it, by its configured name.
    pub agent: String,
    /// The exact words; no shell reads them.
    pub argv: Vec<String>,
    /// The same words before anything of the turn was filled in: what two starts of an agent
    /// with different prompts have in common. For a tool they are its words.
    pub template: Vec<String>,
    /// A command line, when a shell will read it; then `argv` is empty.
    pub line: Option<String>,
    /// Where, absolute.
    pub cwd: String,
    /// The leaf it is for.
    pub task_id: TaskId,
    /// The run it is for.
    pub run_id: RunId,
}

/// It may not be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Why, for a person.
    pub reason: String,
}

/// Is told of a turn's pane as soon as there is one.
pub trait Watch: Send + Sync {
    /// The turn runs in this pane.
    fn pane(&self, pane: PaneId);
}
