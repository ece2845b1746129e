//! One turn of an agent or a tool: who it is, what it is told, how long it has.

use std::sync::Arc;

use orchflow_agent::{AgentConfig, Cx, Outcome as TurnOutcome, Turn, Watch};
use orchflow_protocol::test;
use orchflow_types::plan::PlanTask;
use orchflow_types::run::{Gate, GateResult};
use orchflow_types::{AgentKind, AgentType, PaneId, Role, RunId, TaskId};
use orchflow_workflow::{Failure, Outcome};

use super::{Job, refs};
use crate::permission::Permits;
use crate::{Error, Orchestrator, agents, runs};

/// Lets `agent` take `turn`, and notes what became of the user's refs meanwhile.
pub(super) async fn take(job: &Job, agent: &AgentConfig, turn: &Turn) -> TurnOutcome {
    let (outcome, seen) = watched(job, agent, turn).await;
    for note in seen {
        runs::notice(&job.orchestrator, job.run_id(), turn.task_id, note).await;
    }
    outcome
}

/// Lets `agent` take `turn`; answers also what became of the user's refs meanwhile. A tool
/// runs commands that were shown before: what those do to refs was asked for.
pub(super) async fn watched(
    job: &Job,
    agent: &AgentConfig,
    turn: &Turn,
) -> (TurnOutcome, Vec<String>) {
    if agent.kind == AgentKind::Tool {
        return (alone(job, agent, turn).await, Vec::new());
    }
    let before = refs::look(job).await;
    let outcome = alone(job, agent, turn).await;
    let seen = refs::told(job, &agent.name, before).await;
    (outcome, seen)
}

async fn alone(job: &Job, agent: &AgentConfig, turn: &Turn) -> TurnOutcome {
    let orchestrator = &job.orchestrator;
    let told;
    let turn = match extra(job, agent, turn.role).await {
        Ok(None) => turn,
        Ok(extra) => {
            told = Turn { extra, ..turn.clone() };
            &told
        }
        Err(error) => {
            let (failure, reason) = (orchflow_agent::Failure::Environment, error.to_string());
            return TurnOutcome::Failed { failure, reason, pane: None };
        }
    };
    let watch = Watcher {
        orchestrator: orchestrator.clone(),
        run: job.run_id(),
        task: job.action.task,
        agent: agent.name.clone(),
    };
    let cx = Cx {
        client: orchestrator.client().clone(),
        permission: Arc::new(Permits::new(job, agent)),
        cancel: job.cancel.clone(),
        watch: Arc::new(watch),
    };
    orchflow_agent::adapter(agent).turn(&cx, turn).await
}

/// What the user's settings add to the prompt of a role; a tool is told nothing.
async fn extra(job: &Job, agent: &AgentConfig, role: Role) -> Result<Option<String>, Error> {
    if agent.kind == AgentKind::Tool {
        return Ok(None);
    }
    let mut settings = job.orchestrator.settings(&job.run.project).await?;
    Ok(settings.prompts.remove(&role))
}

/// Runs one gate in `dir`.
pub(super) async fn gate(job: &Job, dir: &str, gate: &Gate) -> Result<Outcome, Error> {
    let plan = PlanTask {
        agent_type: AgentType::Test,
        command: gate.argv.clone(),
        dir: gate.dir.clone(),
        writes: false,
        ..PlanTask::new(gate.name.clone(), gate.name.clone())
    };
    let turn = Turn { plan, cwd: dir.to_owned(), ..turn(job, Role::Executor, &gate.name)? };
    let tool = agents::by_name(&job.orchestrator, &job.run.project, None).await?;
    match take(job, &tool, &turn).await {
        TurnOutcome::Done { gate: Some(result), .. } => {
            Ok(Outcome::Gated(with_tests(job, result, &gate.name, &gate.framework).await))
        }
        TurnOutcome::Done { .. } => {
            Ok(failed(Failure::Environment, "the tool gave no result".to_owned()))
        }
        TurnOutcome::Failed { failure, reason, .. } => Ok(failed(translate(failure), reason)),
    }
}

/// What every turn of this job has in common. `part` tells turns of one action apart.
pub(super) fn turn(job: &Job, role: Role, part: &str) -> Result<Turn, Error> {
    let leaf = job.leaf()?;
    Ok(Turn {
        run_id: job.run_id(),
        task_id: leaf.task_id,
        role,
        // A pane of a process that is gone cannot be gone on with, so a new process asks for its own.
        key: format!("{}/{part}@{}", job.action.key, job.action.epoch),
        cwd: job.worktree()?.to_owned(),
        plan: leaf.plan.clone(),
        goal: job.run.goal.clone(),
        iteration: leaf.iteration,
        findings: Vec::new(),
        red_gates: Vec::new(),
        diff: None,
        limits: job.limits(),
        handoff: None,
        commands: Vec::new(),
        extra: None,
    })
}

/// Adds what the test tool said to the result of its command.
pub(super) async fn with_tests(
    job: &Job,
    mut result: GateResult,
    name: &str,
    framework: &str,
) -> GateResult {
    name.clone_into(&mut result.name);
    if let Some(pane_id) = result.pane_id
        && !framework.is_empty()
    {
        let params = test::ResultsParams { pane_id, framework: framework.to_owned() };
        // The exit code is the truth; a summary that cannot be had changes nothing of it.
        result.tests = job
            .orchestrator
            .client()
            .call::<test::Results>(params)
            .await
            .ok()
            .and_then(|said| said.summary);
    }
    result
}

pub(super) const fn failed(failure: Failure, reason: String) -> Outcome {
    Outcome::Failed { failure, reason }
}

/// What a turn's failure means to the run.
pub(super) const fn translate(failure: orchflow_agent::Failure) -> Failure {
    match failure {
        orchflow_agent::Failure::Agent => Failure::Agent,
        orchflow_agent::Failure::TimedOut => Failure::TimedOut,
        orchflow_agent::Failure::Cancelled => Failure::Cancelled,
        orchflow_agent::Failure::Denied => Failure::Denied,
        orchflow_agent::Failure::Environment => Failure::Environment,
    }
}

/// Shows a turn's pane to everybody who follows the run, as soon as it is there.
struct Watcher {
    orchestrator: Orchestrator,
    run: RunId,
    /// The leaf; none for the planning, which is the run's own.
    task: Option<TaskId>,
    agent: String,
}

impl Watch for Watcher {
    fn pane(&self, pane: PaneId) {
        match self.task {
            Some(task) => runs::show_pane(&self.orchestrator, self.run, task, pane),
            None => runs::show_planner(&self.orchestrator, self.run, &self.agent, Some(pane)),
        }
    }
}
