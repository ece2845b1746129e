//! What became of the user's own refs while an agent worked.
//!
//! All worktrees of a repository share its refs, so an agent can move a branch it has no
//! business with. That cannot be forbidden to a process of the user's own, and a user may
//! commit while a run goes: so it is told, without a guess at who it was, and what a ref
//! would have lost is saved.

use orchflow_protocol::git;
use orchflow_store::runs as rows;

use super::Job;
use crate::Error;

/// The most refs that are told of one by one.
const MOST: usize = 20;

/// What the refs stand at before a turn; none when that could not be seen.
pub(super) async fn look(job: &Job) -> Option<git::RefsResult> {
    let params = git::DirParams { dir: job.run.project.clone() };
    match job.orchestrator.client().call::<git::Refs>(params).await {
        Ok(refs) => Some(refs),
        Err(error) => {
            tracing::warn!(run = %job.run_id(), %error, "the refs could not be seen");
            None
        }
    }
}

/// What is different since `before`, a sentence each. What a ref no longer holds is saved.
pub(super) async fn told(job: &Job, agent: &str, before: Option<git::RefsResult>) -> Vec<String> {
    let Some(before) = before else { return Vec::new() };
    let Some(after) = look(job).await else { return Vec::new() };
    let mut said = Vec::new();
    if before.branch != after.branch {
        let (from, to) = (checked_out(&before), checked_out(&after));
        said.push(format!("the checkout went from {from} to {to}, not by orchflow"));
    }
    // Every one of them, told or not: what it would have lost is saved on the way.
    for change in changes(&before, &after) {
        match sentence(job, &change).await {
            Ok(sentence) => said.extend(sentence),
            Err(error) => said.push(format!("{} changed: {error}", name(change.of))),
        }
    }
    if let Some(more) = said.len().checked_sub(MOST).filter(|more| *more > 0) {
        said.truncate(MOST);
        said.push(format!("{more} more branches or tags changed"));
    }
    said.iter().map(|said| format!("while {agent} worked, {said}")).collect()
}

/// One ref that is not what it was.
struct Change<'a> {
    of: &'a str,
    from: Option<&'a str>,
    to: Option<&'a str>,
}

fn changes<'a>(before: &'a git::RefsResult, after: &'a git::RefsResult) -> Vec<Change<'a>> {
    let at = |refs: &'a git::RefsResult, name: &str| refs.refs.get(name).map(String::as_str);
    let mut names: Vec<&str> =
        before.refs.keys().chain(after.refs.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let change = |of| Change { of, from: at(before, of), to: at(after, of) };
    names.into_iter().map(change).filter(|change| change.from != change.to).collect()
}

/// None when orchflow itself did it.
async fn sentence(job: &Job, change: &Change<'_>) -> Result<Option<String>, Error> {
    let name = name(change.of);
    Ok(Some(match (change.from, change.to) {
        (Some(from), Some(to)) => {
            if landed(job, to).await? {
                return Ok(None);
            }
            let kept = save(job, change.of, from, Some(to)).await?;
            format!("{name} moved from {} to {}, not by orchflow{kept}", short(from), short(to))
        }
        (Some(from), None) => {
            let kept = save(job, change.of, from, None).await?;
            format!("{name} was deleted, not by orchflow; it stood at {}{kept}", short(from))
        }
        // `orchflow runs rescue` makes such branches.
        (None, _) if change.of.starts_with("refs/heads/rescue/") => return Ok(None),
        (None, to) => {
            format!("{name} was made at {}, not by orchflow", short(to.unwrap_or_default()))
        }
    }))
}

/// Saves what a ref held, unless what it holds now has it.
async fn save(job: &Job, of: &str, commit: &str, now: Option<&str>) -> Result<String, Error> {
    let owner = job.action.task.map_or_else(|| job.run_id().to_string(), |task| task.to_string());
    let plain = of.strip_prefix("refs/").unwrap_or(of).replace('/', "-");
    let params = git::SaveRefParams {
        dir: job.run.project.clone(),
        name: format!("{owner}-{plain}"),
        commit: commit.to_owned(),
        unless_in: now.map(str::to_owned),
    };
    let saved = job.orchestrator.client().call::<git::SaveRef>(params).await?.saved_ref;
    Ok(saved.map_or_else(String::new, |saved| format!("; what it held is kept in {saved}")))
}

/// Whether it is what another run came to: orchflow may have landed that meanwhile.
async fn landed(job: &Job, commit: &str) -> Result<bool, Error> {
    const RUNS: u32 = 50;
    let (run_id, dir, commit) = (job.run_id(), job.run.project.clone(), commit.to_owned());
    let read = move |reader: &orchflow_store::Reader<'_>| {
        let runs = rows::list(reader, None, Some(&dir), None, RUNS)?;
        let others = runs.iter().filter(|run| run.run_id != run_id);
        let mut leaves = others.flat_map(|run| &run.leaves);
        Ok(leaves.any(|leaf| leaf.commit.as_ref() == Some(&commit)))
    };
    Ok(job.orchestrator.store().read(read).await?)
}

fn name(of: &str) -> String {
    match of.split_once('/').map(|(_, rest)| rest.split_once('/').unwrap_or(("", rest))) {
        Some(("heads", branch)) => format!("the branch `{branch}`"),
        Some(("tags", tag)) => format!("the tag `{tag}`"),
        _ if of == "refs/stash" => "the stash".to_owned(),
        _ => format!("`{of}`"),
    }
}

fn checked_out(refs: &git::RefsResult) -> String {
    match &refs.branch {
        Some(branch) => format!("the branch `{branch}`"),
        None => format!("no branch, at {}", short(&refs.head)),
    }
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
