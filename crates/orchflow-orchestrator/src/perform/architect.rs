//! Plans that architects make: each of the chain is asked in its turn, in a worktree of
//! its own that goes away afterwards. Its answer is a plan in Markdown, and nothing else
//! of what it does counts. What the rules make of a goal is in `plan`.

mod answer;

use orchflow_agent::{AgentConfig, Failure, Outcome as TurnOutcome, Turn};
use orchflow_protocol::git;
use orchflow_runtime::crash_point;
use orchflow_types::Role;
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::project::Project;

use super::{Job, agent_turn, open};
use crate::{Error, agents, runs};

/// What came of asking.
pub(super) enum Asked {
    /// One of them made a plan.
    Plan(Plan),
    /// None of them did: who and why, a sentence each.
    GaveUp(Vec<String>),
    /// The run was stopped meanwhile.
    Stopped,
}

/// Asks the architects of the run's chain, in order, for a plan. What became of the user's
/// refs and of the worktree meanwhile is told with the answer.
pub(super) async fn ask(job: &Job, project: &Project) -> Result<Asked, Error> {
    let (base, _) = open::base(job).await?;
    let mut seen = Vec::new();
    let asked = chain(job, &base, project, &mut seen).await;
    if let Some(saved) = close(job, &base).await {
        seen.push(format!(
            "What was changed during the planning is not used; it is saved as {saved}."
        ));
    }
    let mut asked = asked?;
    match &mut asked {
        Asked::Plan(plan) => plan.notes.extend(seen),
        Asked::GaveUp(said) => said.extend(seen),
        Asked::Stopped => {}
    }
    Ok(asked)
}

async fn chain(
    job: &Job,
    base: &str,
    project: &Project,
    seen: &mut Vec<String>,
) -> Result<Asked, Error> {
    let mut gave_up = Vec::new();
    for (place, name) in architects(job).iter().enumerate() {
        let agent = agents::by_name(&job.orchestrator, &job.run.project, Some(name)).await?;
        match one(job, base, project, (place, &agent), seen).await? {
            Answered::Plan(plan) => {
                return Ok(Asked::Plan(settled(plan, &job.run.goal, name, gave_up)));
            }
            Answered::GaveUp(why) => gave_up.push(format!("{name} made no plan: {why}")),
            Answered::Stopped => return Ok(Asked::Stopped),
        }
    }
    Ok(Asked::GaveUp(gave_up))
}

/// The architects of the run, in the order they are asked.
pub(super) fn architects(job: &Job) -> &[String] {
    job.run.options.chains.get(&Role::Architect).map_or(&[], Vec::as_slice)
}

/// What one architect answered in the end.
enum Answered {
    Plan(Plan),
    GaveUp(String),
    Stopped,
}

/// Lets one architect answer, and once more when its answer could not be read.
async fn one(
    job: &Job,
    base: &str,
    project: &Project,
    (place, agent): (usize, &AgentConfig),
    seen: &mut Vec<String>,
) -> Result<Answered, Error> {
    const TRIES: u32 = 2;
    let mut handoff = None;
    let mut unreadable = String::new();
    for attempt in 0..TRIES {
        let part = format!("architect-{place}-{attempt}");
        let cwd = fresh(job, base).await?;
        let turn = Turn { handoff: handoff.take(), ..turn(job, part, cwd, project) };
        runs::show_planner(&job.orchestrator, job.run_id(), &agent.name, None);
        crash_point!("plan.before_turn");
        let (outcome, noticed) = agent_turn::watched(job, agent, &turn).await;
        seen.extend(noticed);
        crash_point!("plan.after_turn");
        let text = match outcome {
            TurnOutcome::Done { answer, .. } => answer.unwrap_or_default(),
            TurnOutcome::Failed { failure: Failure::Cancelled, .. } => {
                return Ok(Answered::Stopped);
            }
            TurnOutcome::Failed { reason, .. } => return Ok(Answered::GaveUp(reason)),
        };
        match read(job, &text).await? {
            Ok(plan) => return Ok(Answered::Plan(plan)),
            Err(bad) => {
                handoff = Some(bad.told());
                unreadable = bad.reason;
            }
        }
    }
    Ok(Answered::GaveUp(format!("its answer could not be read, twice: {unreadable}")))
}

/// The plan in an answer, whose agents are all known here.
async fn read(job: &Job, text: &str) -> Result<Result<Plan, answer::Unreadable>, Error> {
    let read = match answer::read(text) {
        Ok(read) => read,
        Err(bad) => return Ok(Err(bad)),
    };
    for agent in read.plan.tasks.iter().filter_map(|task| task.agent.as_deref()) {
        let known = agents::by_name(&job.orchestrator, &job.run.project, Some(agent)).await;
        match known {
            Err(error @ Error::UnknownAgent { .. }) => {
                return Ok(Err(read.refused(&format!("{error}; leave `agent` out"))));
            }
            other => other.map(drop)?,
        }
    }
    Ok(Ok(read.plan))
}

/// The plan as the run takes it: for the goal as the user said it, with the notes that say
/// whose it is.
fn settled(plan: Plan, goal: &str, name: &str, gave_up: Vec<String>) -> Plan {
    let mut notes = vec![format!("planned by {name}")];
    notes.extend(gave_up);
    notes.extend(plan.notes);
    let mut tasks = plan.tasks;
    for task in &mut tasks {
        // An agent may change what it likes, whatever it was planned for: never in the
        // user's own checkout.
        task.writes |= task.agent.is_some() || task.command.is_empty();
    }
    Plan { goal: goal.to_owned(), tasks, notes, by: Some(name.to_owned()) }
}

fn turn(job: &Job, part: String, cwd: String, project: &Project) -> Turn {
    let plan = PlanTask { writes: false, ..PlanTask::new("plan", "Make the plan") };
    Turn {
        run_id: job.run_id(),
        task_id: job.run.task_id,
        role: Role::Architect,
        key: format!("{}/{part}@{}", job.action.key, job.action.epoch),
        cwd,
        plan,
        goal: job.run.goal.clone(),
        iteration: 0,
        findings: Vec::new(),
        red_gates: Vec::new(),
        diff: None,
        limits: job.limits(),
        handoff: None,
        commands: project.commands.clone(),
        extra: None,
    }
}

/// The worktree of the planning, as the base has it: what a turn before this one left in it
/// (or a daemon before this one) is saved and taken back.
async fn fresh(job: &Job, base: &str) -> Result<String, Error> {
    let made = job.add_worktree(name(job), branch(job), base.to_owned()).await?;
    let (dir, to) = (made.path.clone(), Some(base.to_owned()));
    let params = git::WorktreeResetParams { dir, to, save_as: name(job) };
    job.orchestrator.client().call::<git::WorktreeReset>(params).await?;
    Ok(made.path)
}

/// Removes the worktree and its branch; answers the ref that keeps what was changed there.
/// A worktree that will not go is said in the log and holds up no plan.
async fn close(job: &Job, base: &str) -> Option<String> {
    let made = job.add_worktree(name(job), branch(job), base.to_owned()).await;
    let removed = async {
        let params = git::WorktreeRemoveParams {
            dir: job.run.project.clone(),
            path: made?.path,
            save_as: Some(name(job)),
            branch: Some(branch(job)),
            merged_into: Some(base.to_owned()),
        };
        Ok::<_, Error>(job.orchestrator.client().call::<git::WorktreeRemove>(params).await?)
    };
    match removed.await {
        Ok(removed) => removed.saved_ref,
        Err(error) => {
            tracing::warn!(run = %job.run_id(), %error, "the worktree of the planning stays");
            None
        }
    }
}

fn name(job: &Job) -> String {
    format!("{}-plan", job.run_id())
}

fn branch(job: &Job) -> String {
    format!("orchflow/{}", name(job))
}
