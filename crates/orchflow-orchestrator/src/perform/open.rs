//! The beginnings: of a run (its base and integration branch) and of a leaf (its worktree).

use orchflow_protocol::git;
use orchflow_workflow::{Onto, Outcome};

use super::Job;
use crate::Error;

/// Settles what the run's work starts from and makes the branch it is brought together on.
///
/// Done again it finds the branch, and so the same base: a snapshot is taken only once.
pub(super) async fn run(job: &Job) -> Result<Outcome, Error> {
    let (base, onto) = base(job).await?;
    let made = job.add_worktree(job.run.run_id.to_string(), job.branch(), base).await?;
    Ok(Outcome::Opened { base: made.head, branch: job.branch(), onto: Some(onto) })
}

/// The commit that work of the run starts from, HEAD or the working tree as it stands, and
/// what the checkout it will be brought to stands at.
pub(super) async fn base(job: &Job) -> Result<(String, Onto), Error> {
    let client = job.orchestrator.client();
    let dir = job.run.project.clone();
    client.call::<git::WorktreeRepair>(git::DirParams { dir: dir.clone() }).await?;
    let status = client.call::<git::Status>(git::DirParams { dir: dir.clone() }).await?;
    let mut base = status.head.clone();
    if job.run.options.from_working_tree && !status.dirty.is_empty() {
        let message = format!("The working tree as it was when {} began", job.run.run_id);
        let params = git::SnapshotParams { dir, message };
        base = client.call::<git::Snapshot>(params).await?.commit.unwrap_or(base);
    }
    Ok((base, Onto { branch: status.branch, tip: status.head }))
}

/// Makes a leaf's worktree from the integration branch as it stands.
pub(super) async fn leaf(job: &Job) -> Result<Outcome, Error> {
    let task = job.leaf()?.task_id;
    let base = job.integration_head.clone().unwrap_or_else(|| job.branch());
    let made = job.add_worktree(task.to_string(), job.leaf_branch(task), base).await?;
    Ok(Outcome::Prepared { worktree: made.path, base: made.head })
}
