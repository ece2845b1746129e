//! Removal of worktrees and branches, never of work: what is not safe elsewhere is saved first.

use orchflow_protocol::git;
use orchflow_runtime::crash_point;
use orchflow_workflow::Outcome;

use super::Job;
use crate::Error;

/// Removes the leaf's worktree and branch, or the run's integration worktree.
pub(super) async fn run(job: &Job) -> Result<Outcome, Error> {
    let params = match &job.leaf {
        Some(leaf) => {
            let Some(path) = leaf.worktree.clone() else {
                return Ok(Outcome::Cleaned { saved_ref: None });
            };
            git::WorktreeRemoveParams {
                dir: job.run.project.clone(),
                path,
                save_as: Some(leaf.task_id.to_string()),
                branch: Some(job.leaf_branch(leaf.task_id)),
                merged_into: Some(job.branch()),
            }
        }
        None => integration(job).await?,
    };
    crash_point!("clean.before");
    let removed = job.orchestrator.client().call::<git::WorktreeRemove>(params).await?;
    crash_point!("clean.after");
    Ok(Outcome::Cleaned { saved_ref: removed.saved_ref })
}

/// The integration branch goes too once the user's branch has it, or when it holds nothing.
async fn integration(job: &Job) -> Result<git::WorktreeRemoveParams, Error> {
    let place = job.integration().await?;
    let landed = job.run.landing.as_ref().is_some_and(|landing| landing.merged);
    let goes = landed || job.commits.is_empty();
    Ok(git::WorktreeRemoveParams {
        dir: job.run.project.clone(),
        path: place.path,
        save_as: Some(job.run.run_id.to_string()),
        branch: goes.then(|| job.branch()),
        merged_into: goes
            .then(|| job.integration_head.clone().or_else(|| job.run.base.clone()))
            .flatten(),
    })
}
