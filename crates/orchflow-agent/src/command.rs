//! The adapter `command`.

use async_trait::async_trait;
use orchflow_types::AgentKind;

use crate::{Adapter, AgentConfig, Cx, Failure, Outcome, Turn};

pub(crate) struct Command {
    config: AgentConfig,
}

impl Command {
    pub(crate) const fn new(config: AgentConfig) -> Self {
        Self { config }
    }
}

#[async_trait]
impl Adapter for Command {
    fn kind(&self) -> AgentKind {
        self.config.kind
    }

    async fn turn(&self, _cx: &Cx, _turn: &Turn) -> Outcome {
        Outcome::failed(Failure::Environment, "not yet", None)
    }
}
