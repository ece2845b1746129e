//! The merge queue's one step: bring a leaf together with what was merged before it, and
//! prove the result.

use orchflow_protocol::git;
use orchflow_runtime::crash_point;
use orchflow_workflow::Outcome;

use super::{Job, agent_turn};
use crate::Error;

/// Merges the leaf's commit in the integration worktree. Where others were merged since
/// the leaf began, the merged state is a new one and has to pass the gates itself.
pub(super) async fn run(job: &Job) -> Result<Outcome, Error> {
    let leaf = job.leaf()?;
    let place = job.integration().await?;
    let before = reset(job, &place.path, job.integration_head.clone()).await?;
    crash_point!("merge.before");
    let params = git::MergeParams {
        dir: place.path.clone(),
        commit: job.leaf_branch(leaf.task_id),
        message: message(&leaf.plan.title, &job.run.goal),
    };
    let merged = job.orchestrator.client().call::<git::Merge>(params).await?;
    crash_point!("merge.after");
    let Some(head) = merged.commit else {
        return Ok(Outcome::MergeConflict { files: merged.conflicts });
    };
    if job.leaf_base.as_deref() == Some(before.as_str()) {
        return Ok(Outcome::Merged { commit: head }); // the very tree the leaf's gates proved
    }
    for gate in job.gates.iter() {
        match agent_turn::gate(job, &place.path, gate).await? {
            Outcome::Gated(result) if result.green() => {}
            Outcome::Gated(result) => {
                reset(job, &place.path, Some(before)).await?;
                return Ok(Outcome::MergedRed(result));
            }
            other => {
                reset(job, &place.path, Some(before)).await?;
                return Ok(other);
            }
        }
    }
    // A gate may leave files behind; the next merge starts from the commit alone.
    reset(job, &place.path, Some(head.clone())).await?;
    Ok(Outcome::Merged { commit: head })
}

fn message(title: &str, goal: &str) -> String {
    let subject = format!("Merge {title}");
    if title == goal { subject } else { format!("{subject}\n\n{goal}") }
}

/// Puts the integration worktree where the run says it stands; a merge that a crash cut
/// short, or did without anybody hearing of it, is taken back and done again.
async fn reset(job: &Job, dir: &str, to: Option<String>) -> Result<String, Error> {
    let save_as = format!("{}-integration", job.run.run_id);
    let params = git::WorktreeResetParams { dir: dir.to_owned(), to, save_as };
    Ok(job.orchestrator.client().call::<git::WorktreeReset>(params).await?.head)
}
