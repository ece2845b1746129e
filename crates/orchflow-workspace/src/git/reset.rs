//! Taking a worktree back to a commit, and giving one up: nothing goes that is not saved.

use std::path::Path;

use super::repair::unlock;
use super::snapshot::holds_work;
use super::status::EntryKind;
use super::{RefKind, Repo, call};
use crate::{Error, Result};

/// How a worktree stands after [`Repo::reset`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    /// The commit that is checked out.
    pub head: String,
    /// The name under which what would have been lost is saved, if there was anything.
    pub saved: Option<String>,
}

/// What happens to what a worktree that is given up leaves behind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Leaving<'a> {
    /// A branch to delete afterwards.
    pub branch: Option<&'a str>,
    /// Commits reachable from here are safe already.
    pub safe_in: Option<&'a str>,
}

impl Repo {
    /// Brings a linked worktree back to `to`, or to the head of its own branch, on that
    /// branch. What is uncommitted (untracked files included) and commits nothing else holds
    /// are saved under `save_as` first. Untracked files go, ignored ones and repositories
    /// inside the worktree stay. Nobody may be at work in it.
    ///
    /// # Errors
    /// [`Error::Kept`] for a main checkout, there is no such commit, or git could not be asked.
    pub async fn reset(&self, to: Option<&str>, save_as: &str) -> Result<Reset> {
        if self.is_main() {
            let why = "it is the user's own checkout".to_owned();
            return Err(Error::Kept { path: self.root().to_owned(), why });
        }
        // A git that was killed with its agent leaves its locks behind.
        unlock(self.git_dir(), 1, &mut Vec::new())?;
        self.link_again()?;
        let git = self.guarded().await?;
        let state = self.state_by(&git).await?;
        let own = self.own_branch().or_else(|| state.branch.clone());
        let full = own.as_ref().map(|own| format!("refs/heads/{own}"));
        let own_head = match &full {
            Some(full) => self.resolve(full).await?,
            None => None,
        };
        let target = self.target(to, own_head.as_ref().or(state.head.as_ref())).await?;
        let dirty = holds_work(&state);
        let there = state.head.as_ref() == Some(&target) && state.branch == own;
        if there && !dirty && state.operation.is_none() {
            return Ok(Reset { head: target, saved: None });
        }
        let mut saved = None;
        if dirty {
            let commit = self.snapshot("Work that was not committed").await?;
            saved = Some(self.save_ref(RefKind::Saved, save_as, &commit).await?);
        }
        let heads = [state.head.as_deref(), own_head.as_deref()];
        for commit in heads.into_iter().flatten() {
            let safe = self.is_ancestor(commit, &target).await?
                || self.is_held(commit, full.as_deref()).await?;
            if !safe {
                let name = self.save_ref(RefKind::Saved, save_as, commit).await?;
                saved.get_or_insert(name);
            }
        }
        self.leave_operation(&git, state.operation).await?;
        if let Some(full) = &full {
            self.attach(&git, full, own_head.is_none().then_some(&*target)).await?;
        }
        let attempted = format!("go back to {target}");
        git.run(&attempted, ["reset", "--hard", "--quiet", &target]).await?;
        git.run("remove untracked files", ["clean", "-d", "--force", "--quiet"]).await?;
        Ok(Reset { head: target, saved })
    }

    /// The commit a reset goes to: the one that was named, or what there is.
    async fn target(&self, to: Option<&str>, there: Option<&String>) -> Result<String> {
        let Some(to) = to else {
            let empty = || Error::Empty { root: self.root().to_owned() };
            return there.cloned().ok_or_else(empty);
        };
        let unknown = || Error::BadName { what: "commit", given: to.to_owned() };
        self.resolve(to).await?.ok_or_else(unknown)
    }

    /// Removes a worktree of this repository, and a branch when asked; what is not there is
    /// removed already. What would be lost with them is saved under `save_as`, and the name it
    /// got is answered. Ignored files go.
    ///
    /// # Errors
    /// [`Error::Kept`] when it holds a repository of its own, somebody locked it, or it is no
    /// linked worktree.
    pub async fn give_up(
        &self,
        path: &Path,
        save_as: &str,
        leaving: Leaving<'_>,
    ) -> Result<Option<String>> {
        let full = leaving.branch.map(|branch| format!("refs/heads/{branch}"));
        let mut saved = None;
        if let Some(admin) = self.admin_of(path)?.filter(|_| path.is_dir()) {
            if !admin.join("locked").exists() {
                let worktree = self.worktree(path)?;
                saved = worktree.save_rest(save_as, full.as_deref(), leaving.safe_in).await?;
                self.remove_folder(path).await?;
            } else {
                // It says why it is locked.
                self.worktree_remove(path).await?;
            }
        } else {
            saved = self.worktree_remove(path).await?;
        }
        let Some(branch) = leaving.branch else { return Ok(saved) };
        if let (Some(full), Some(safe_in)) = (&full, leaving.safe_in)
            && let Some(commit) = self.resolve(full).await?
            && self.resolve(safe_in).await?.is_some()
            && self.is_ancestor(&commit, safe_in).await?
        {
            let attempted = format!("delete the branch {branch}");
            self.plain().run(&attempted, ["branch", "-D", "--quiet", "--", branch]).await?;
            return Ok(saved);
        }
        Ok(saved.or(self.branch_delete(branch).await?))
    }

    async fn save_rest(
        &self,
        save_as: &str,
        without: Option<&str>,
        safe_in: Option<&str>,
    ) -> Result<Option<String>> {
        let git = self.guarded().await?;
        let state = self.state_by(&git).await?;
        self.refuse_inner(&git, &state).await?;
        let commit = if holds_work(&state) {
            self.snapshot("Work that was not committed").await?
        } else {
            let Some(head) = state.head else { return Ok(None) };
            if let Some(safe_in) = safe_in
                && self.resolve(safe_in).await?.is_some()
                && self.is_ancestor(&head, safe_in).await?
            {
                return Ok(None);
            }
            if self.is_held(&head, without).await? {
                return Ok(None);
            }
            head
        };
        self.save_ref(RefKind::Saved, save_as, &commit).await.map(Some)
    }

    /// Refuses a worktree with a repository in it whose work cannot be saved from here.
    pub(super) async fn refuse_inner(
        &self,
        git: &call::Git<'_>,
        state: &super::RepoState,
    ) -> Result<()> {
        let nested = state.entries.iter().find(|e| e.kind == EntryKind::NestedRepository);
        if let Some(entry) = nested {
            let why = format!("{} in it is a repository of its own", entry.path.display());
            return Err(Error::Kept { path: self.root().to_owned(), why });
        }
        if self.git_dir().join("modules").is_dir() {
            self.submodules_are_clean(git).await?;
        }
        Ok(())
    }

    async fn attach(&self, git: &call::Git<'_>, full: &str, missing: Option<&str>) -> Result<()> {
        let attempted = format!("go back to the branch {full}");
        let reason = "checkout: back to the worktree's own branch";
        if let Some(target) = missing {
            git.run(&attempted, ["update-ref", "-m", reason, full, target, ""]).await?;
        }
        git.run(&attempted, ["symbolic-ref", "-m", reason, "HEAD", full]).await.map(drop)
    }
}
