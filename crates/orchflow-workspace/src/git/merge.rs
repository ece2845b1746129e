//! Merging into a worktree of ours, all or nothing.

use std::path::PathBuf;

use super::snapshot::{cut, holds_work};
use super::{RefKind, Repo, call};
use crate::{Error, Result};

/// How a merge ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// The commit is in the worktree's branch.
    Merged {
        /// What the branch is at now.
        commit: String,
        /// Where uncommitted files of the worktree were saved before, if there were any.
        saved: Option<String>,
    },
    /// Both sides changed the same places; the worktree is as it was before.
    Conflict {
        /// The paths in conflict, relative to the root.
        files: Vec<PathBuf>,
    },
}

impl Repo {
    /// Merges a commit into the branch of this worktree: where the branch has nothing that the
    /// commit has not, it goes on to the commit itself, else to a merge commit. What is in it
    /// already is merged already. The worktree is an integration worktree nobody works in: what
    /// builds left uncommitted is saved under a hidden ref and put back before the merge. It is
    /// never left in the middle of one.
    ///
    /// # Errors
    /// There is no such commit, or git failed for another reason than a conflict.
    pub async fn merge(&self, commit: &str, message: &str) -> Result<Merge> {
        call::revision(commit)?;
        let git = self.guarded().await?;
        let saved = self.come_clean(&git).await?;
        let attempted = format!("merge {commit}");
        let args = [
            "merge",
            "--ff",
            "--commit",
            "--no-squash",
            "--quiet",
            "--no-stat",
            "--no-verify",
            "--no-verify-signatures",
            "--no-edit",
            "-m",
            cut(message),
            commit,
        ];
        let output = git.attempt(&attempted, args).await?;
        if output.status.success() {
            return Ok(Merge::Merged { commit: self.head().await?, saved });
        }
        let unmerged = ["diff", "--name-only", "--diff-filter=U", "--no-ext-diff", "-z"];
        let listed = git.run("list the conflicts", unmerged).await?;
        let files: Vec<PathBuf> = call::fields(&listed.stdout).map(call::path).collect();
        self.go_back(&git).await?;
        if files.is_empty() {
            return Err(git.failure(&attempted, &output));
        }
        Ok(Merge::Conflict { files })
    }

    /// Puts the worktree back to its HEAD; what is not committed is saved first.
    async fn come_clean(&self, git: &call::Git<'_>) -> Result<Option<String>> {
        let state = self.state_by(git).await?;
        if state.head.is_none() {
            return Err(Error::Empty { root: self.root().to_owned() });
        }
        // A merge that a crash interrupted holds nothing that merging again does not bring.
        if state.operation.is_some() {
            self.go_back(git).await?;
            return Ok(None);
        }
        if !holds_work(&state) {
            return Ok(None);
        }
        let commit = self.snapshot("Files that were changed in an integration worktree").await?;
        let name = self.save_ref(RefKind::Saved, &self.saved_name(&commit), &commit).await?;
        self.go_back(git).await?;
        git.run("remove untracked files", ["clean", "-d", "--force", "--quiet"]).await?;
        Ok(Some(name))
    }

    async fn go_back(&self, git: &call::Git<'_>) -> Result<()> {
        // Unlike `merge --abort` this also works when git was killed half way.
        git.run("go back to the last commit", ["reset", "--hard", "--quiet", "HEAD"]).await?;
        Ok(())
    }
}
