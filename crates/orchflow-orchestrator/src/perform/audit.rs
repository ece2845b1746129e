//! The review of a leaf's work by another agent, and what it may not leave behind.

use orchflow_agent::{Outcome as TurnOutcome, Turn};
use orchflow_protocol::git;
use orchflow_types::Role;
use orchflow_types::run::{Finding, Leaf};
use orchflow_workflow::{Failure, Outcome};

use super::Job;
use super::agent_turn::{failed, take, translate, turn};
use super::execute::ensure_worktree;
use crate::{Error, agents};

/// Bytes of a diff an auditor is shown.
const DIFF_LIMIT: u32 = 256 * 1024;

const NO_VERDICT: &str = "its answer holds no verdict";

/// Lets an auditor review the leaf. It may look at everything and change nothing: what it
/// changed is saved and taken back.
pub(super) async fn run(job: &Job, agent: &str, iteration: u32) -> Result<Outcome, Error> {
    let leaf = job.leaf()?;
    let client = job.orchestrator.client();
    let dir = ensure_worktree(job, leaf).await?;
    let stands = clear(job, leaf, &dir).await?;
    let agent = agents::by_name(&job.orchestrator, &job.run.project, Some(agent)).await?;
    let base = job.leaf_base.clone().unwrap_or_else(|| job.branch());
    let params = git::DiffParams { dir: dir.clone(), base, head: None, limit: Some(DIFF_LIMIT) };
    let diff = client.call::<git::Diff>(params).await?;
    let patch = if diff.truncated {
        format!("{}\n[the rest of the diff was cut]", diff.patch)
    } else {
        diff.patch
    };
    let told = Turn {
        iteration,
        diff: Some(patch),
        cwd: dir.clone(),
        ..turn(job, Role::Auditor, "audit")?
    };
    let outcome = take(job, &agent, &told).await;
    // To the very commit it was shown: one that an auditor made itself nobody has looked at.
    let params = git::WorktreeResetParams {
        dir,
        to: Some(stands),
        save_as: format!("{}-auditor", leaf.task_id),
    };
    client.call::<git::WorktreeReset>(params).await?;
    Ok(match outcome {
        TurnOutcome::Done { audit: Some(audit), .. } => Outcome::Audited(audit),
        TurnOutcome::Done { .. } => failed(Failure::Agent, NO_VERDICT.to_owned()),
        TurnOutcome::Failed { failure, reason, .. } => failed(translate(failure), reason),
    })
}

/// Takes back what the gates left behind: neither an auditor nor a commit takes it for the
/// leaf's work. Answers the commit that holds the work.
pub(super) async fn clear(job: &Job, leaf: &Leaf, dir: &str) -> Result<String, Error> {
    let client = job.orchestrator.client();
    let save_as = format!("{}-gates", leaf.task_id);
    let mut params = git::WorktreeResetParams { dir: dir.to_owned(), to: None, save_as };
    let mut stands = client.call::<git::WorktreeReset>(params.clone()).await?;
    // A turn's commit and the one the turns were folded into are the leaf's work: what stands
    // above was made by a gate, or by an auditor that a crash kept from being taken back.
    let made_here = ["execute", "commit"].map(|step| format!("{}/{step}/", leaf.task_id));
    let is_work = |stands: &git::WorktreeResetResult| {
        let made = |key: &String| made_here.iter().any(|step| key.starts_with(step));
        stands.key.as_ref().is_some_and(made) || job.leaf_base.as_ref() == Some(&stands.head)
    };
    while !is_work(&stands) {
        params.to = Some(format!("{}~1", stands.head));
        stands = client.call::<git::WorktreeReset>(params.clone()).await?;
    }
    Ok(stands.head)
}

/// Whether a finding is worth telling in one line.
#[must_use]
pub(crate) fn one_line(finding: &Finding) -> String {
    match (&finding.file, finding.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: {}", finding.message),
        (Some(file), None) => format!("{file}: {}", finding.message),
        _ => finding.message.clone(),
    }
}
