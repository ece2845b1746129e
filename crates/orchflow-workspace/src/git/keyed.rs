//! Commits under an idempotency key: asked for twice, made once, whatever an agent did in between.

use super::snapshot::{cut, holds_work, stage, with_trailers};
use super::status::{EntryKind, Operation};
use super::{RefKind, Repo, call};
use crate::{Error, Result};

/// The trailer that holds the key of a commit.
pub const KEY_TRAILER: &str = "Orchflow-Key";

/// A commit that is made once.
#[derive(Debug, Clone, Copy)]
pub struct KeyedCommit<'a> {
    /// Its message, without trailers.
    pub message: &'a str,
    /// Lines `KEY: VALUE` at the message's end.
    pub trailers: &'a [(String, String)],
    /// What names it; white space counts as one space.
    pub key: &'a str,
    /// Everything since this commit is folded into the new one, commits an agent made
    /// itself included; none adds the new one to what is there.
    pub onto: Option<&'a str>,
}

impl Repo {
    /// Commits the worktree as it stands on its own branch, untracked files included; the
    /// head of the branch itself when that has the key already. None when nothing differs.
    /// An agent that left the branch is brought back to it with its work, and an operation it
    /// left half done (a merge, a rebase) is over.
    ///
    /// # Errors
    /// [`Error::Conflicted`], there is no such `onto`, a file could not be read, or git could not be asked.
    pub async fn commit_keyed(&self, commit: KeyedCommit<'_>) -> Result<Option<String>> {
        let git = self.guarded().await?;
        self.come_home(&git).await?;
        let head = self.head().await?;
        let key = one_line(commit.key);
        if self.key_of(&head).await?.as_deref() == Some(&*key) {
            return Ok(Some(head));
        }
        let parent = match commit.onto {
            Some(onto) => self
                .resolve(onto)
                .await?
                .ok_or_else(|| Error::BadName { what: "commit", given: onto.to_owned() })?,
            None => head.clone(),
        };
        let state = self.state_by(&git).await?;
        // Staging would call it solved, markers and all.
        if let Some(entry) = state.entries.iter().find(|e| e.kind == EntryKind::Conflicted) {
            let (root, path) = (self.root().to_owned(), entry.path.clone());
            return Err(Error::Conflicted { root, path });
        }
        if holds_work(&state) {
            stage(&git, &state).await?;
        }
        let attempted = "commit the changes";
        let tree = git.run(attempted, ["write-tree"]).await?.text();
        let before = format!("{parent}^{{tree}}");
        if git.run(attempted, ["rev-parse", "--verify", &before]).await?.text() == tree {
            self.leave_operation(&git, state.operation).await?;
            return Ok(None);
        }
        let mut trailers = commit.trailers.to_vec();
        trailers.retain(|(name, _)| name != KEY_TRAILER);
        trailers.push((KEY_TRAILER.to_owned(), key));
        let message = with_trailers(cut(commit.message), &trailers);
        let mut args = vec!["commit-tree", &tree, "-m", &message, "-p", &parent];
        // A merge that waits to be committed has more parents, unless all is folded into one.
        let merging = match commit.onto {
            None => std::fs::read_to_string(self.git_dir().join("MERGE_HEAD")).unwrap_or_default(),
            Some(_) => String::new(),
        };
        for other in merging.lines().filter(|other| call::revision(other).is_ok()) {
            args.extend(["-p", other]);
        }
        let made = git.run(attempted, args).await?.text();
        // Only from the head that was looked at: nobody's commit is written over unseen.
        let args = ["update-ref", "-m", "commit: orchflow", "HEAD", &made, &head];
        git.run(attempted, args).await?;
        self.leave_operation(&git, state.operation).await?;
        Ok(Some(made))
    }

    /// The key in the trailers of a commit, if it has one.
    ///
    /// # Errors
    /// There is no such commit, or git could not be asked.
    pub async fn key_of(&self, commit: &str) -> Result<Option<String>> {
        call::revision(commit)?;
        let format = format!("--format=%(trailers:key={KEY_TRAILER},valueonly)");
        let args = ["log", "--max-count=1", "--no-show-signature", "--no-color", &format];
        let args = args.into_iter().chain(["--end-of-options", commit, "--"]);
        let output = self.plain().run("read the trailers of a commit", args).await?;
        let text = output.text();
        Ok(text.lines().map(one_line).rfind(|line| !line.is_empty()))
    }

    /// Puts HEAD on the worktree's own branch with files and index as they are. Commits made
    /// beside the branch join it when they follow it, and are saved when nothing else holds them.
    async fn come_home(&self, git: &call::Git<'_>) -> Result<()> {
        let Some(own) = self.own_branch() else { return Ok(()) };
        let full = format!("refs/heads/{own}");
        let attempted = format!("go back to the branch {own}");
        let at = git.attempt(&attempted, ["symbolic-ref", "--quiet", "HEAD"]).await?;
        if at.text() == full {
            return Ok(());
        }
        let reason = "checkout: back to the worktree's own branch";
        match (self.resolve("HEAD").await?, self.resolve(&full).await?) {
            (Some(head), Some(branch)) if head == branch => {}
            (Some(head), Some(branch)) if self.is_ancestor(&branch, &head).await? => {
                git.run(&attempted, ["update-ref", "-m", reason, &full, &head, &branch]).await?;
            }
            (Some(head), None) => {
                git.run(&attempted, ["update-ref", "-m", reason, &full, &head, ""]).await?;
            }
            (Some(head), Some(_)) if !self.is_held(&head, None).await? => {
                self.save_ref(RefKind::Saved, &self.saved_name(&head), &head).await?;
            }
            _ => {}
        }
        git.run(&attempted, ["symbolic-ref", "-m", reason, "HEAD", &full]).await.map(drop)
    }

    /// Ends what is half done; files and branches stay where they are.
    pub(super) async fn leave_operation(
        &self,
        git: &call::Git<'_>,
        operation: Option<Operation>,
    ) -> Result<()> {
        let args: &[&str] = match operation {
            None => return Ok(()),
            Some(Operation::Rebase) => &["rebase", "--quit"],
            Some(Operation::Am) => &["am", "--quit"],
            Some(Operation::Bisect) => &["bisect", "reset", "HEAD"],
            Some(Operation::Merge | Operation::CherryPick | Operation::Revert) => {
                &["reset", "--quiet"]
            }
        };
        git.run("end what was half done", args).await.map(drop)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
