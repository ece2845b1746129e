//! Permission: what an agent wants to run is decided by policy, or by a person when policy asks.

use std::sync::Arc;

use async_trait::async_trait;
use orchflow_agent::{AgentConfig, Permission, Refused, Request};
use orchflow_protocol::trust;
use orchflow_runtime::CancellationToken;
use orchflow_store::policies as grants;
use orchflow_types::attention::AttentionKind;
use orchflow_types::policy::Decision;
use orchflow_types::run::{Gate, Run};
use orchflow_types::{AgentKind, RunId, TaskId};

use crate::Orchestrator;
use crate::attention::{self, Question};
use crate::perform::Job;
use crate::policies::{self, Asked};

/// Answers the adapters of one action.
pub(crate) struct Permits {
    orchestrator: Orchestrator,
    run_id: RunId,
    task_id: Option<TaskId>,
    run: Arc<Run>,
    gates: Arc<[Gate]>,
    /// The program the agent itself is.
    program: Option<String>,
    /// Whether it reads settings of the repository it works in by itself.
    reads_settings: bool,
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
            program: agent.words().ok().and_then(|words| words.into_iter().next()),
            reads_settings: agent.kind != AgentKind::Tool,
            cancel: job.cancel.clone(),
        }
    }

    /// Refuses while the folder holds settings of agents (hooks, servers, permissions) that
    /// the user has not trusted to the byte: they would have effect as soon as one starts.
    async fn settings_are_trusted(&self, dir: &str) -> Result<(), Refused> {
        let client = self.orchestrator.client();
        let look = |dir: &str| client.call::<trust::Get>(trust::DirParams { dir: dir.to_owned() });
        let here = look(dir).await.map_err(|error| refused(&error))?;
        let mut steering = here.files;
        steering.retain(|file| steers_agents(&file.path));
        if steering.is_empty() {
            return Ok(());
        }
        let project = look(&self.run.project).await.map_err(|error| refused(&error))?;
        let trusted = |file: &trust::TrustFile| project.trusted && project.files.contains(file);
        match steering.iter().find(|file| !trusted(file)) {
            None => Ok(()),
            Some(file) => Err(Refused {
                reason: format!(
                    "`{}` of the repository would steer the agent and is not trusted as it is; \
                     `orchflow trust` shows it and grants",
                    file.path
                ),
            }),
        }
    }

    /// Whether the goal was shown with this command, or it starts the very agent that was
    /// named for the run: asking for the goal was the consent to both.
    fn consented(&self, request: &Request) -> bool {
        let mut planned = policies::seen(&self.run).into_iter().flat_map(|plan| &plan.tasks);
        let starts_agent = self.program.is_some() && request.argv.first() == self.program.as_ref();
        starts_agent
            || self.gates.iter().any(|gate| gate.argv == request.argv)
            || planned.any(|task| !task.command.is_empty() && task.command == request.argv)
    }

    async fn ask(&self, request: &Request, reason: &str) -> Result<(), Refused> {
        let question = Question {
            kind: AttentionKind::Permission,
            run_id: Some(self.run_id),
            task_id: self.task_id,
            text: format!(
                "{} wants to run {} in {}: {reason}",
                request.agent,
                shown(request),
                request.cwd
            ),
            options: ["once", "always", "never"].map(str::to_owned).to_vec(),
        };
        let answer = attention::ask(&self.orchestrator, question, &self.cancel).await;
        match answer.map_err(|error| refused(&error))?.as_deref() {
            Some("once") => Ok(()),
            Some("always") => self.remember(request).await,
            Some(_) => Err(Refused { reason: "a person said no".to_owned() }),
            None => {
                Err(Refused { reason: "nobody answered before the run was stopped".to_owned() })
            }
        }
    }

    async fn remember(&self, request: &Request) -> Result<(), Refused> {
        let granted_at = self.orchestrator.clock().now();
        let grant = grants::Grant {
            agent: request.agent.clone(),
            pattern: request.argv.clone(),
            granted_at,
        };
        let write = move |tx: &mut orchflow_store::Tx<'_>| grants::grant(tx, &grant);
        self.orchestrator.store().write(write).await.map_err(|error| refused(&error))
    }
}

#[async_trait]
impl Permission for Permits {
    async fn permit(&self, request: &Request) -> Result<(), Refused> {
        if self.reads_settings {
            self.settings_are_trusted(&request.cwd).await?;
        }
        let asked = Asked {
            argv: request.argv.clone(),
            line: request.line.clone(),
            agent: Some(request.agent.clone()),
            consented: self.consented(request),
        };
        let answer = policies::decide(&self.orchestrator, &self.run.project, &asked).await;
        let answer = answer.map_err(|error| refused(&error))?;
        match answer.decision {
            Decision::Allow => Ok(()),
            Decision::Ask => self.ask(request, &answer.reason).await,
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

/// Whether a file is one that agents read by themselves; our own is read only when trusted.
fn steers_agents(path: &str) -> bool {
    !path.starts_with(".orchflow") && path != ".worktreeinclude"
}

fn refused(error: &impl std::fmt::Display) -> Refused {
    Refused { reason: format!("permission could not be decided: {error}") }
}
