//! The last step of a run: its result comes to the user's branch, or says how to take it.

use orchflow_protocol::git;
use orchflow_runtime::crash_point;
use orchflow_types::run::Landing;
use orchflow_workflow::Outcome;

use super::Job;
use crate::Error;

/// Fast-forwards the user's branch when nothing of the user's is in the way. Done again
/// after it was done, it finds the branch there already and says the same.
pub(super) async fn run(job: &Job) -> Result<Outcome, Error> {
    let branch = job.branch();
    if !job.run.options.commit {
        return Ok(Outcome::Landed(Landing {
            merged: false,
            reason: Some("it was asked to stay on its branch".to_owned()),
            command: Some(format!("git merge {branch}")),
            branch,
            commits: job.commits.clone(),
        }));
    }
    crash_point!("land.before");
    let onto = job.onto.clone().map(|onto| git::LandOnto { branch: onto.branch, tip: onto.tip });
    let params = git::LandParams { dir: job.run.project.clone(), branch: branch.clone(), onto };
    let landed = job.orchestrator.client().call::<git::Land>(params).await?;
    crash_point!("land.after");
    Ok(Outcome::Landed(Landing {
        merged: landed.merged,
        reason: landed.reason,
        command: landed.command,
        branch: landed.into.unwrap_or(branch),
        commits: job.commits.clone(),
    }))
}
