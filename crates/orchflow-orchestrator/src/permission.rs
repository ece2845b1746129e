//! Permission: what an agent wants to run is decided by policy, or by a person when policy asks.

use std::sync::Arc;

use async_trait::async_trait;
use orchflow_agent::{AgentConfig, Permission, Refused, Request};
use orchflow_runtime::CancellationToken;
use orchflow_store::policies as grants;
use orchflow_types::attention::AttentionKind;
use orchflow_types::policy::Decision;
use orchflow_types::run::{Gate, Run};
use orchflow_types::{Explain, RunId, TaskId};

use crate::attention::{self, Question};
use crate::perform::Job;
use crate::policies::{self, Asked, Granted, Wanted};
use crate::{Error, Orchestrator, agent_settings, agents};

/// Answers the adapters of one action.
pub(crate) struct Permits {
    orchestrator: Orchestrator,
    run_id: RunId,
    task_id: Option<TaskId>,
    run: Arc<Run>,
    gates: Arc<[Gate]>,
    /// How the agent is started, as of now; none for a tool, which is no program itself and
    /// reads no settings of the repository.
    start: Option<Vec<String>>,
    cancel: CancellationToken,
}

impl Permits {
    /// For turns of `agent` in this action.
    pub(crate) fn new(job: &Job, agent: &AgentConfig) -> Self {
        Self {
            orchestrator: job.orchestrator.clone(),
            run_id: job.run_id(),
            task_id: job.action.task,
            run: job.run.clone(),
            gates: job.gates.clone(),
            start: agents::start(agent),
            cancel: job.cancel.clone(),
        }
    }

    fn consented(&self, request: &Request, folder: Option<&str>) -> bool {
        let agent = self.start.as_deref().map(|start| (request.agent.as_str(), start));
        let wanted = Wanted { argv: &request.argv, folder, agent };
        policies::consented(&self.run, &self.gates, wanted)
    }

    async fn ask(&self, request: &Request, grant: &Granted, reason: &str) -> Result<(), Refused> {
        let question = Question {
            kind: AttentionKind::Permission,
            run_id: Some(self.run_id),
            task_id: self.task_id,
            text: format!(
                "{} wants to run {} in {}: {reason} (`always` is for {:?} in {})",
                request.agent,
                shown(request),
                request.cwd,
                grant.pattern,
                grant.folder
            ),
            options: ["once", "always", "never"].map(str::to_owned).to_vec(),
        };
        let answer = attention::ask(&self.orchestrator, question, &self.cancel).await;
        match answer.map_err(|error| refused(&error))?.as_deref() {
            Some("once") => Ok(()),
            Some("always") => self.remember(request, grant).await,
            Some(_) => Err(Refused { reason: "a person said no".to_owned() }),
            None => {
                Err(Refused { reason: "nobody answered before the run was stopped".to_owned() })
            }
        }
    }

    async fn remember(&self, request: &Request, grant: &Granted) -> Result<(), Refused> {
        let granted_at = self.orchestrator.clock().now();
        let Granted { folder, pattern } = grant.clone();
        let grant = grants::Grant { agent: request.agent.clone(), folder, pattern, granted_at };
        let write = move |tx: &mut orchflow_store::Tx<'_>| grants::grant(tx, &grant);
        self.orchestrator.store().write(write).await.map_err(|error| refused(&error))
    }
}

#[async_trait]
impl Permission for Permits {
    async fn permit(&self, request: &Request) -> Result<(), Refused> {
        let cx = &self.orchestrator;
        if self.start.is_some() {
            let trusted = agent_settings::are_trusted(cx, &request.cwd, &self.run.project).await;
            trusted.map_err(|error| match &error {
                Error::Untrusted { .. } => Refused { reason: told(&error) },
                _ => refused(&error),
            })?;
        }
        let project = &self.run.project;
        let folder = policies::folder(cx, project, &request.cwd).await;
        let folder = folder.map_err(|error| refused(&error))?;
        let pattern = policies::start(&request.template);
        let granted = Granted::here(project, folder.as_deref(), &request.cwd, pattern);
        let asked = Asked {
            argv: request.argv.clone(),
            line: request.line.clone(),
            agent: Some(request.agent.clone()),
            consented: self.consented(request, folder.as_deref()),
            granted: Some(granted.clone()),
        };
        let answer = policies::decide(cx, &self.run.project, &asked).await;
        let answer = answer.map_err(|error| refused(&error))?;
        match answer.decision {
            Decision::Allow => Ok(()),
            Decision::Ask => self.ask(request, &granted, &answer.reason).await,
            Decision::Deny => Err(Refused { reason: answer.reason }),
        }
    }
}

/// The whole command with control characters escaped, and its length: nothing can be hidden
/// by padding or by escape sequences, since nothing is cut and nothing is printed raw.
fn shown(request: &Request) -> String {
    match &request.line {
        Some(line) => format!("{line:?} ({} characters)", line.chars().count()),
        None => format!("{:?} ({} words)", request.argv, request.argv.len()),
    }
}

fn told(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

fn refused(error: &impl std::fmt::Display) -> Refused {
    Refused { reason: format!("permission could not be decided: {error}") }
}
