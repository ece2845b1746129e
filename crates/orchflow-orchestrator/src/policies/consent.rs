//! What a person has seen and wanted: one rule for who performs a run and for who asks.

use std::path::{Path, PathBuf};

use orchflow_protocol::git;
use orchflow_types::plan::Plan;
use orchflow_types::run::{Gate, Run};

use super::Granted;
use crate::{Error, Orchestrator};

/// What is to be started on behalf of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The exact words.
    pub(crate) argv: &'a [String],
    /// The folder of the repository it is started in, as [`folder`] says it.
    pub(crate) folder: Option<&'a str>,
    /// The agent and how it is started; none when the command stands for itself.
    pub(crate) agent: Option<(&'a str, &'a [String])>,
}

/// Whether what is wanted was shown with exactly this: a command of the plan or a gate, in
/// its folder of the repository; or an agent, started as it was when the run was asked for,
/// whatever its prompt is.
pub(crate) fn consented(run: &Run, gates: &[Gate], wanted: Wanted<'_>) -> bool {
    let Some(folder) = wanted.folder else { return false };
    if let Some((agent, start)) = wanted.agent {
        return folder.is_empty()
            && run.options.agents.get(agent).is_some_and(|shown| shown == start);
    }
    let mut planned = seen(run).into_iter().flat_map(|plan| &plan.tasks);
    let here = |dir: &str| Path::new(dir).components().eq(Path::new(folder).components());
    gates.iter().any(|gate| gate.argv == wanted.argv && here(&gate.dir))
        || planned
            .any(|task| !task.command.is_empty() && task.command == wanted.argv && here(&task.dir))
}

/// The plan of a run, when a person has consented to its commands: by asking for the goal
/// that the rules made it of, or by approving it. A plan of an architect that went on by
/// itself nobody has seen.
fn seen(run: &Run) -> Option<&Plan> {
    run.plan.as_ref().filter(|plan| plan.by.is_none() || !run.options.auto_approve)
}

/// The folder of the repository that a path is, in the checkout or in a worktree of it;
/// none for one that is elsewhere.
pub(crate) async fn folder(
    cx: &Orchestrator,
    project: &str,
    path: &str,
) -> Result<Option<String>, Error> {
    if let Some(folder) = below(path, project) {
        return Ok(Some(folder));
    }
    let params = git::DirParams { dir: project.to_owned() };
    let listed = cx.client().call::<git::WorktreeList>(params).await?;
    Ok(listed.worktrees.iter().find_map(|worktree| below(path, &worktree.path)))
}

impl Granted {
    /// What an `always` is for that is given to something at `path`. Worktrees come and go:
    /// what holds in a `folder` of one holds for that of the checkout.
    pub(crate) fn here(
        project: &str,
        folder: Option<&str>,
        path: &str,
        pattern: Vec<String>,
    ) -> Self {
        let folder = match folder {
            Some(folder) => one_name(&Path::new(project).join(folder)),
            None => one_name(Path::new(path)),
        };
        Self { folder, pattern }
    }
}

/// The part of a path below another; empty for that one itself.
fn below(path: &str, root: &str) -> Option<String> {
    Path::new(path).strip_prefix(root).ok().map(one_name)
}

/// Without a slash at its end: one folder has one name.
fn one_name(path: &Path) -> String {
    path.components().collect::<PathBuf>().display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_has_one_name_and_that_of_a_worktree_is_the_checkouts() {
        let name = |folder, path| Granted::here("/p", folder, path, Vec::new()).folder;
        assert_eq!(name(None, "/else/where/"), "/else/where");
        assert_eq!(name(Some(""), "/state/worktrees/p/t"), "/p");
        assert_eq!(name(Some("web"), "/state/worktrees/p/t/web/"), "/p/web");
        assert_eq!(below("/p/web/", "/p"), Some("web".to_owned()));
        assert_eq!(below("/px", "/p"), None);
    }
}
