//! Settings that a repository has for agents (hooks, servers, permissions): they have effect
//! as soon as one starts there, so none starts where the user has not trusted them.

use orchflow_protocol::trust;

use crate::{Error, Orchestrator};

/// Refuses while `dir` holds settings of agents that the user has not trusted to the byte.
/// What is trusted is what the project at `project` had when trust was given; a worktree of
/// it may have other content.
pub(crate) async fn are_trusted(cx: &Orchestrator, dir: &str, project: &str) -> Result<(), Error> {
    let look = async |dir: &str| {
        let params = trust::DirParams { dir: dir.to_owned() };
        Ok::<_, Error>(cx.client().call::<trust::Get>(params).await?)
    };
    let mut steering = look(dir).await?.files;
    steering.retain(|file| steers_agents(&file.path));
    if steering.is_empty() {
        return Ok(());
    }
    let project = look(project).await?;
    let trusted = |file: &trust::TrustFile| project.trusted && project.files.contains(file);
    match steering.into_iter().find(|file| !trusted(file)) {
        None => Ok(()),
        Some(file) => Err(Error::Untrusted { path: file.path }),
    }
}

/// Whether a file is one that agents read by themselves; our own is read only when trusted.
fn steers_agents(path: &str) -> bool {
    !path.starts_with(".orchflow") && path != ".worktreeinclude"
}
