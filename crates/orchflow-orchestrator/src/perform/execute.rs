//! The work itself: turns of agents in a leaf's worktree.
//!
//! A turn that ends is committed on the leaf's branch under its key. So a turn that a
//! crash cut short is found by its missing key, its leavings are saved and taken back, and
//! it runs once more; a turn that was finished is found by its key, and does not.

use std::collections::{HashMap, HashSet};

use orchflow_agent::{AgentConfig, Outcome as TurnOutcome, Turn};
use orchflow_protocol::git;
use orchflow_runtime::crash_point;
use orchflow_types::plan::PlanTask;
use orchflow_types::run::{Gate, GateResult, Leaf, Run};
use orchflow_types::{AgentKind, AgentType, ErrorKind, PaneId};
use orchflow_workflow::{Failure, Outcome, Step};

use super::Job;
use super::agent_turn::{failed, take, translate, turn, with_tests};
use crate::{Error, agents};

/// Lets the leaf's agent or tool work.
pub(super) async fn run(job: &Job) -> Result<Outcome, Error> {
    let leaf = job.leaf()?;
    let Step::Execute { role, agent, iteration, findings, red_gates, .. } = &job.action.step else {
        return Err(Error::RunLost(job.run.run_id));
    };
    let agent = agents::by_name(&job.orchestrator, &job.run.project, agent.as_deref()).await?;
    let told = Turn {
        iteration: *iteration,
        findings: findings.clone(),
        red_gates: red_gates.clone(),
        ..turn(job, *role, role.as_str())?
    };
    if leaf.plan.writes {
        change(job, leaf, &agent, told).await
    } else {
        look(job, leaf, &agent, told).await
    }
}

/// A leaf that only looks works in the user's checkout as it stands, as the user would by
/// hand; one that comes after a change looks at the run's result instead, in a worktree
/// that goes right afterwards.
async fn look(
    job: &Job,
    leaf: &Leaf,
    agent: &AgentConfig,
    mut told: Turn,
) -> Result<Outcome, Error> {
    if !follows_a_change(&job.run, &leaf.plan) {
        return look_here(job, leaf, agent, &told).await;
    }
    let branch = job.leaf_branch(leaf.task_id);
    let head = job.integration_head.clone().unwrap_or_else(|| job.branch());
    let made = job.add_worktree(leaf.task_id.to_string(), branch.clone(), head.clone()).await?;
    told.cwd.clone_from(&made.path);
    // One that a crash left behind stands where the result stood then, with what the command
    // that was cut short had written into it.
    let save_as = format!("{}-interrupted", leaf.task_id);
    let params = git::WorktreeResetParams { dir: made.path.clone(), to: Some(head), save_as };
    job.orchestrator.client().call::<git::WorktreeReset>(params).await?;
    let looked = look_here(job, leaf, agent, &told).await;
    let params = git::WorktreeRemoveParams {
        dir: job.run.project.clone(),
        path: made.path,
        save_as: Some(leaf.task_id.to_string()),
        branch: Some(branch),
        merged_into: Some(job.branch()),
    };
    job.orchestrator.client().call::<git::WorktreeRemove>(params).await?;
    looked
}

async fn look_here(
    job: &Job,
    leaf: &Leaf,
    agent: &AgentConfig,
    told: &Turn,
) -> Result<Outcome, Error> {
    Ok(match take(job, agent, told).await {
        TurnOutcome::Done { pane, summary, gate, .. } => {
            let framework = framework(job, leaf);
            let gate = match gate {
                Some(result) => Some(with_tests(job, result, &leaf.plan.key, &framework).await),
                None => None,
            };
            Outcome::Executed { pane, changed: false, summary, gate }
        }
        TurnOutcome::Failed { failure, reason, .. } => failed(translate(failure), reason),
    })
}

/// Whether anything this leaf waits for, directly or not, may change files.
fn follows_a_change(run: &Run, leaf: &PlanTask) -> bool {
    let tasks: HashMap<&str, &PlanTask> = run
        .plan
        .iter()
        .flat_map(|plan| &plan.tasks)
        .map(|task| (task.key.as_str(), task))
        .collect();
    let mut seen = HashSet::new();
    let mut open: Vec<&str> = leaf.depends.iter().map(String::as_str).collect();
    while let Some(key) = open.pop() {
        if let Some(task) = tasks.get(key)
            && seen.insert(key)
        {
            if task.writes {
                return true;
            }
            open.extend(task.depends.iter().map(String::as_str));
        }
    }
    false
}

/// The tool whose output a leaf's own command prints, as the project's gates know it; more
/// words than the gate has only narrow it.
fn framework(job: &Job, leaf: &Leaf) -> String {
    let same =
        |gate: &&Gate| leaf.plan.command.starts_with(&gate.argv) && gate.dir == leaf.plan.dir;
    job.gates.iter().find(same).map(|gate| gate.framework.clone()).unwrap_or_default()
}

async fn change(
    job: &Job,
    leaf: &Leaf,
    agent: &AgentConfig,
    mut told: Turn,
) -> Result<Outcome, Error> {
    let mended = ensure_worktree(job, leaf).await?;
    told.cwd.clone_from(&mended);
    let save_as = format!("{}-interrupted", leaf.task_id);
    let params = git::WorktreeResetParams { dir: mended.clone(), to: None, save_as };
    let stands = job.orchestrator.client().call::<git::WorktreeReset>(params).await?;
    let key = job.action.key.to_string();
    if stands.key.as_deref() == Some(key.as_str()) {
        return Ok(executed(
            job,
            &stands.head,
            None,
            "it was finished before the restart".to_owned(),
            None,
        ));
    }
    told.handoff = handoff(job, leaf, stands.saved_ref.as_deref());
    crash_point!("execute.before_turn");
    let outcome = take(job, agent, &told).await;
    crash_point!("execute.after_turn");
    let (pane, summary, gate) = match outcome {
        TurnOutcome::Done { pane, summary, gate, .. } => (pane, summary, gate),
        TurnOutcome::Failed { failure, reason, .. } => {
            return Ok(failed(translate(failure), reason));
        }
    };
    if let Some(red) = gate.filter(|result| !result.green()) {
        let reason = format!(
            "`{}` exited with {}: {}",
            red.argv.join(" "),
            red.exit_code,
            last_line(&red.tail)
        );
        return Ok(failed(Failure::Agent, reason));
    }
    match keep(job, leaf, &mended, &key).await {
        Ok(head) if idle(job, leaf, agent, &head) => {
            Ok(failed(Failure::Agent, changed_nothing(&summary)))
        }
        Ok(head) => Ok(executed(job, &head, pane, summary, None)),
        Err(Error::Called(error))
            if matches!(
                error.kind(),
                ErrorKind::NoRepository
                    | ErrorKind::Git
                    | ErrorKind::NotFound
                    | ErrorKind::Conflict
            ) =>
        {
            Ok(failed(
                Failure::Agent,
                format!("{} left its worktree unusable: {}", agent.name, error.message),
            ))
        }
        Err(error) => Err(error),
    }
}

/// Commits the turn under its key and answers the head of the leaf's branch.
async fn keep(job: &Job, leaf: &Leaf, dir: &str, key: &str) -> Result<String, Error> {
    let message = format!("Turn of {} on {}", leaf.task_id, leaf.plan.title);
    let params = git::CommitParams {
        dir: dir.to_owned(),
        message,
        trailers: Default::default(),
        key: key.to_owned(),
        // An agent may have committed by itself; folded, all of it stands under the key.
        onto: job.leaf_base.clone(),
    };
    let client = job.orchestrator.client();
    let commit = client.call::<git::Commit>(params).await?.commit;
    crash_point!("execute.after_commit");
    match commit {
        Some(commit) => Ok(commit),
        None => Ok(client.call::<git::Status>(git::DirParams { dir: dir.to_owned() }).await?.head),
    }
}

/// Whether an agent was to change something and did not. No gate can tell work that was left
/// undone from work that was done: both leave the project green. So it counts as a turn that
/// failed, and the next of the chain is asked. A command of the project's own that finds
/// nothing to change (a formatter) is done, and so is an agent that was to look, build or test.
fn idle(job: &Job, leaf: &Leaf, agent: &AgentConfig, head: &str) -> bool {
    agent.kind != AgentKind::Tool
        && leaf.plan.agent_type == AgentType::Dev
        && job.leaf_base.as_deref() == Some(head)
}

fn changed_nothing(summary: &str) -> String {
    match last_line(summary) {
        NOTHING_PRINTED => "it changed nothing".to_owned(),
        said => format!("it changed nothing; it said: {said}"),
    }
}

fn executed(
    job: &Job,
    head: &str,
    pane: Option<PaneId>,
    summary: String,
    gate: Option<GateResult>,
) -> Outcome {
    let changed = job.leaf_base.as_deref() != Some(head);
    Outcome::Executed { pane, changed, summary, gate }
}

/// The leaf's worktree; made again on its branch when an agent has deleted it.
pub(super) async fn ensure_worktree(job: &Job, leaf: &Leaf) -> Result<String, Error> {
    let branch = job.leaf_branch(leaf.task_id);
    let made = job.add_worktree(leaf.task_id.to_string(), branch.clone(), branch).await?;
    Ok(made.path)
}

fn handoff(job: &Job, leaf: &Leaf, interrupted: Option<&str>) -> Option<String> {
    let mut said: Vec<String> = leaf.notes.clone();
    if interrupted.is_some() {
        said.push(
            "An attempt before this one was interrupted; what it had changed was taken back."
                .to_owned(),
        );
    } else if !leaf.notes.is_empty() && job.leaf_base.is_some() {
        said.push("What was changed so far is in this folder.".to_owned());
    }
    (!said.is_empty()).then(|| said.join("\n"))
}

fn last_line(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or(NOTHING_PRINTED)
}

const NOTHING_PRINTED: &str = "it printed nothing";
