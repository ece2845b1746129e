//! Committed actions become effects here, and effects become outcomes.
//!
//! Every step is safe to do again under the same key: it first looks whether it is done
//! already. An action that fails is an [`Outcome`], never an error of the orchestrator.

mod agent_turn;
mod architect;
mod audit;
mod clean;
mod commit;
mod execute;
mod land;
mod merge;
mod open;
mod plan;
mod refs;
mod room;

use std::sync::Arc;
use std::time::Duration;

use orchflow_protocol::git;
use orchflow_runtime::CancellationToken;
use orchflow_types::run::{Gate, Leaf, Run};
use orchflow_types::{ErrorKind, RunId, TaskId};
use orchflow_workflow::{Action, Command, Failure, Onto, Outcome, Step};

use crate::{Error, Orchestrator};

pub(crate) use audit::one_line;
pub(crate) use plan::{
    by_rules, confined, detect, dirty_note, gates, is_for_rules, nodes, obstacles, propose,
};

/// One action with all it needs to know of its run, as of the commit that wanted it.
pub(crate) struct Job {
    pub(crate) orchestrator: Orchestrator,
    pub(crate) action: Action,
    /// The run without its leaves.
    pub(crate) run: Arc<Run>,
    /// The leaf the action is for, if it is for one.
    pub(crate) leaf: Option<Leaf>,
    /// The commit that leaf's worktree started from.
    pub(crate) leaf_base: Option<String>,
    /// The user's checkout as it stood when the run was opened.
    pub(crate) onto: Option<Onto>,
    /// The head of the integration branch, once the run is open.
    pub(crate) integration_head: Option<String>,
    /// What the run came to so far, in the order it was merged; only for actions of the
    /// whole run.
    pub(crate) commits: Vec<String>,
    /// The run's gates.
    pub(crate) gates: Arc<[Gate]>,
    /// Cancelled when the action should stop.
    pub(crate) cancel: CancellationToken,
}

/// Performs one action to its end; the answer is the command that tells the run, or none
/// when the action was withdrawn and nobody waits for it any more.
pub(crate) async fn perform(job: &Job) -> Option<Command> {
    attempt(job).await.unwrap_or_else(|error| Some(job.failed(&error)))
}

/// What to tell the run when performing an action panicked.
pub(crate) fn broken(job: &Job) -> Command {
    let reason = format!("a fault of orchflow while it performed `{}`", job.action.step.name());
    job.done(Outcome::Failed { failure: Failure::Environment, reason })
}

async fn attempt(job: &Job) -> Result<Option<Command>, Error> {
    let outcome = match &job.action.step {
        Step::Plan => return plan::make(job).await.map(Some),
        Step::AskApproval => return plan::ask_approval(job).await,
        Step::OpenRun => open::run(job).await?,
        Step::AwaitRoom { waits } => return Ok(room::wait(job, *waits).await),
        Step::PrepareLeaf => open::leaf(job).await?,
        Step::Execute { .. } => execute::run(job).await?,
        Step::Gate { gate, .. } => agent_turn::gate(job, job.worktree()?, gate).await?,
        Step::Audit { agent, iteration } => audit::run(job, agent, *iteration).await?,
        Step::Commit => commit::run(job).await?,
        Step::Merge => merge::run(job).await?,
        Step::Land => land::run(job).await?,
        Step::Clean => clean::run(job).await?,
    };
    Ok(Some(job.done(outcome)))
}

impl Job {
    pub(crate) fn run_id(&self) -> RunId {
        self.run.run_id
    }

    /// The branch everything of the run is brought together on.
    fn branch(&self) -> String {
        format!("orchflow/{}", self.run.run_id)
    }

    /// The branch one leaf works on.
    fn leaf_branch(&self, task: TaskId) -> String {
        format!("orchflow/{task}")
    }

    fn leaf(&self) -> Result<&Leaf, Error> {
        self.leaf.as_ref().ok_or(Error::RunLost(self.run.run_id))
    }

    /// The leaf's worktree, or the user's checkout for leaves that only look.
    fn worktree(&self) -> Result<&str, Error> {
        let leaf = self.leaf()?;
        Ok(leaf.worktree.as_deref().unwrap_or(&self.run.project))
    }

    pub(super) fn done(&self, outcome: Outcome) -> Command {
        Command::Done { key: self.action.key.clone(), epoch: self.action.epoch, outcome }
    }

    fn failed(&self, error: &Error) -> Command {
        let told = orchflow_protocol::Error::explain(error);
        let failure = match told.kind() {
            ErrorKind::StorageFull => Failure::NoRoom,
            ErrorKind::PolicyDenied | ErrorKind::PermissionDenied => Failure::Denied,
            ErrorKind::Timeout => Failure::TimedOut,
            _ => Failure::Environment,
        };
        let reason = match told.data.hint {
            Some(hint) => format!("{} ({hint})", told.message),
            None => told.message,
        };
        self.done(Outcome::Failed { failure, reason })
    }

    /// The integration worktree; made again when it is not there.
    async fn integration(&self) -> Result<git::WorktreeAddResult, Error> {
        let base = self.integration_head.clone().or_else(|| self.run.base.clone());
        self.add_worktree(
            self.run.run_id.to_string(),
            self.branch(),
            base.unwrap_or_else(|| "HEAD".into()),
        )
        .await
    }

    async fn add_worktree(
        &self,
        name: String,
        branch: String,
        base: String,
    ) -> Result<git::WorktreeAddResult, Error> {
        let params = git::WorktreeAddParams { dir: self.run.project.clone(), name, branch, base };
        Ok(self.orchestrator.client().call::<git::WorktreeAdd>(params).await?)
    }

    fn limits(&self) -> orchflow_agent::Limits {
        let seconds = |count: u32| (count > 0).then(|| Duration::from_secs(u64::from(count)));
        let options = &self.run.options;
        orchflow_agent::Limits {
            turn: seconds(options.turn_seconds),
            idle: seconds(options.idle_seconds),
        }
    }
}
