//! Permission: what an agent wants to run is decided by policy, or by a person when policy asks.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use orchflow_agent::{AgentConfig, Permission, Refused, Request};
use orchflow_protocol::git;
use orchflow_runtime::CancellationToken;
use orchflow_store::policies as grants;
use orchflow_types::attention::AttentionKind;
use orchflow_types::policy::Decision;
use orchflow_types::run::{Gate, Run};
use orchflow_types::{Explain, RunId, TaskId};

use crate::attention::{self, Question};
use crate::perform::Job;
use crate::policies::{self, Asked, Granted};
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

    /// Whether what was asked for was shown with exactly this: a command of the plan or a
    /// gate, in its folder of the repository; or an agent, started as it was when the run was
    /// asked for, whatever its prompt is.
    fn consented(&self, request: &Request, folder: Option<&str>) -> bool {
        let Some(folder) = folder else { return false };
        if let Some(start) = &self.start {
            return folder.is_empty() && self.run.options.agents.get(&request.agent) == Some(start);
        }
        let mut planned = policies::seen(&self.run).into_iter().flat_map(|plan| &plan.tasks);
        let here = |dir: &str| Path::new(dir).components().eq(Path::new(folder).components());
        self.gates.iter().any(|gate| gate.argv == request.argv && here(&gate.dir))
            || planned.any(|task| {
                !task.command.is_empty() && task.command == request.argv && here(&task.dir)
            })
    }

    /// The folder of the repository that a path is, in the checkout or in a worktree of it;
    /// none for one that is elsewhere.
    async fn folder(&self, path: &str) -> Result<Option<String>, Error> {
        if let Some(folder) = below(path, &self.run.project) {
            return Ok(Some(folder));
        }
        let params = git::DirParams { dir: self.run.project.clone() };
        let listed = self.orchestrator.client().call::<git::WorktreeList>(params).await?;
        Ok(listed.worktrees.iter().find_map(|worktree| below(path, &worktree.path)))
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
        let folder = self.folder(&request.cwd).await.map_err(|error| refused(&error))?;
        let granted = Granted {
            // Worktrees come and go: what holds for one holds for the checkout's folder.
            folder: match &folder {
                Some(folder) => shown_path(&Path::new(&self.run.project).join(folder)),
                None => request.cwd.clone(),
            },
            pattern: policies::start(&request.template),
        };
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

/// The part of a path below another; empty for that one itself.
fn below(path: &str, root: &str) -> Option<String> {
    Path::new(path).strip_prefix(root).ok().map(shown_path)
}

fn shown_path(path: &Path) -> String {
    // Without a slash at its end: one folder has one name.
    path.components().collect::<std::path::PathBuf>().display().to_string()
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
