//! One commit for a leaf, with its provenance: task, agent, gates, audit.

use std::collections::BTreeMap;

use orchflow_protocol::git;
use orchflow_runtime::crash_point;
use orchflow_types::run::{Leaf, Verdict};
use orchflow_workflow::Outcome;

use super::{Job, audit};
use crate::Error;
use crate::report::command;

/// Folds every turn of the leaf into one commit on its branch.
pub(super) async fn run(job: &Job) -> Result<Outcome, Error> {
    let leaf = job.leaf()?;
    audit::clear(job, leaf, job.worktree()?).await?;
    let params = git::CommitParams {
        dir: job.worktree()?.to_owned(),
        message: message(job, leaf),
        trailers: provenance(job, leaf),
        key: job.action.key.to_string(),
        onto: job.leaf_base.clone(),
    };
    let commit = job.orchestrator.client().call::<git::Commit>(params).await?.commit;
    crash_point!("commit.after");
    Ok(Outcome::Committed { commit })
}

fn message(job: &Job, leaf: &Leaf) -> String {
    let mut text = leaf.plan.title.clone();
    let body =
        if leaf.plan.description.is_empty() { &job.run.goal } else { &leaf.plan.description };
    if body != &leaf.plan.title {
        text.push_str("\n\n");
        text.push_str(body);
    }
    text
}

fn provenance(job: &Job, leaf: &Leaf) -> BTreeMap<String, String> {
    let gates: Vec<String> = leaf
        .gates
        .iter()
        .map(|gate| format!("{} ({})", gate.name, command(&gate.argv, &job.run.project)))
        .collect();
    let audit = match &leaf.audit {
        Some(audit) if audit.verdict == Verdict::Approved => "approved",
        Some(_) => "needs work",
        None => "none, gates only",
    };
    let mut trailers = BTreeMap::from([
        ("Orchflow-Run".to_owned(), job.run.run_id.to_string()),
        ("Orchflow-Task".to_owned(), leaf.task_id.to_string()),
        ("Orchflow-Audit".to_owned(), audit.to_owned()),
    ]);
    if let Some(agent) = &leaf.executor {
        trailers.insert("Orchflow-Agent".to_owned(), agent.clone());
    }
    if let Some(agent) = &leaf.auditor {
        trailers.insert("Orchflow-Auditor".to_owned(), agent.clone());
    }
    if !gates.is_empty() {
        trailers.insert("Orchflow-Gates".to_owned(), gates.join(", "));
    }
    trailers
}
