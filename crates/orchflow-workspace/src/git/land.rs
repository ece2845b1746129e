//! Bringing a result to the user's own checkout, or touching nothing of it at all.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::status::{EntryKind, Operation, RepoState};
use super::{Change, DiffTo, Repo, call};
use crate::Result;

/// How a fast-forward ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FastForward {
    /// The branch holds the commit.
    Landed {
        /// The branch that is checked out.
        branch: String,
        /// Where it was before.
        from: String,
        /// Where it is now.
        to: String,
    },
    /// Nothing of the checkout was touched.
    NotLanded(NotLanded),
}

/// Why the user's branch was left as it is; prints as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotLanded {
    /// There is no branch to move.
    Detached,
    /// Another branch is checked out than the one the work began from.
    OtherBranch {
        /// The one the work began from; none when HEAD was detached.
        expected: Option<String>,
        /// The one that is checked out.
        found: String,
    },
    /// A command of git's is half done.
    Busy(Operation),
    /// The branch has commits the result does not have.
    Diverged {
        /// The branch.
        branch: String,
    },
    /// The branch no longer has the commit the work began from: moving it on would bring back
    /// what somebody took away.
    SetBack {
        /// The branch.
        branch: String,
        /// Where it was when the work began.
        from: String,
        /// Where it is.
        to: String,
    },
    /// The result changes a path that is changed, staged or untracked in the checkout.
    InTheWay {
        /// The first such path.
        path: PathBuf,
        /// How many there are.
        count: usize,
        /// What is with it, as the end of "it is …".
        how: &'static str,
    },
    /// Git refused.
    Refused {
        /// What it said.
        said: String,
    },
}

impl fmt::Display for NotLanded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Detached => f.write_str("the checkout has no branch (HEAD is detached)"),
            Self::OtherBranch { expected, found } => {
                write!(f, "the branch `{found}` is checked out, the work began from ")?;
                match expected {
                    Some(branch) => write!(f, "`{branch}`"),
                    None => f.write_str("a detached HEAD"),
                }
            }
            Self::SetBack { branch, from, to } => {
                let (from, to) = (short(from), short(to));
                write!(f, "the branch `{branch}` was set back from {from} to {to} meanwhile")
            }
            Self::Busy(operation) => {
                write!(f, "the checkout is in the middle of a {}", operation.as_str())
            }
            Self::Diverged { branch } => {
                write!(f, "the branch `{branch}` has moved on to commits the result does not have")
            }
            Self::InTheWay { path, count, how } => {
                write!(f, "`{}` would be changed, and it is {how}", path.display())?;
                if *count > 1 { write!(f, " (and {} more)", count - 1) } else { Ok(()) }
            }
            Self::Refused { said } => write!(f, "git refused: {said}"),
        }
    }
}

/// A checkout when the work began: what may be moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Onto<'a> {
    /// The branch; none when HEAD was detached.
    pub branch: Option<&'a str>,
    /// The commit.
    pub tip: &'a str,
}

impl Repo {
    /// Fast-forwards the branch that is checked out here to a commit, and its files with it;
    /// only when it is attached (to the branch of `onto`, if given, and still has its commit), nothing is half done, and no path
    /// that would change is changed, staged, hidden from git or in the way. Else not a byte of
    /// index, HEAD or files is touched. A branch that has the commit already has landed.
    ///
    /// # Errors
    /// There is no such commit, or git could not be asked.
    pub async fn fast_forward(&self, to: &str, onto: Option<Onto<'_>>) -> Result<FastForward> {
        let git = self.guarded().await?;
        let state = self.state_by(&git).await?;
        let to = match self.resolve(to).await? {
            Some(commit) => commit,
            None => return Err(crate::Error::BadName { what: "commit", given: to.to_owned() }),
        };
        let Some(branch) = state.branch.clone() else { return not(NotLanded::Detached) };
        if let Some(Onto { branch: expected, .. }) =
            onto.filter(|o| o.branch != Some(branch.as_str()))
        {
            let expected = expected.map(str::to_owned);
            return not(NotLanded::OtherBranch { expected, found: branch });
        }
        if let Some(operation) = state.operation {
            return not(NotLanded::Busy(operation));
        }
        let from = self.head().await?;
        if self.is_ancestor(&to, &from).await? {
            return Ok(FastForward::Landed { branch, to: from.clone(), from });
        }
        if !self.is_ancestor(&from, &to).await? {
            return not(NotLanded::Diverged { branch });
        }
        if let Some(Onto { tip, .. }) = onto
            && !self.is_ancestor(tip, &from).await?
        {
            return not(NotLanded::SetBack { branch, from: tip.to_owned(), to: from });
        }
        if let Some(reason) = self.in_the_way(&git, &state, &from, &to).await? {
            return not(reason);
        }
        self.take(&git, branch, from, to).await
    }

    async fn take(
        &self,
        git: &call::Git<'_>,
        branch: String,
        from: String,
        to: String,
    ) -> Result<FastForward> {
        let attempted = format!("fast-forward {branch}");
        let args = [
            "merge",
            "--ff-only",
            "--commit",
            "--no-squash",
            "--no-overwrite-ignore",
            "--no-autostash",
            "--no-verify-signatures",
            "--no-stat",
            "--quiet",
            &to,
        ];
        let origin = self.git_dir().join("ORIG_HEAD");
        let before = std::fs::read(&origin).ok();
        let output = git.attempt(&attempted, args).await?;
        if output.status.success() {
            return Ok(FastForward::Landed { branch, from, to });
        }
        // Git notes where it came from before it finds out that it cannot go.
        let _ = match before {
            Some(bytes) => std::fs::write(&origin, bytes),
            None => std::fs::remove_file(&origin),
        };
        let said = match git.failure(&attempted, &output) {
            crate::Error::Git { said, .. } => said,
            other => other.to_string(),
        };
        not(NotLanded::Refused { said })
    }

    async fn in_the_way(
        &self,
        git: &call::Git<'_>,
        state: &RepoState,
        from: &str,
        to: &str,
    ) -> Result<Option<NotLanded>> {
        let changes = self.changes(from, DiffTo::Revision(to)).await?;
        let touched: BTreeSet<&Path> = changes.iter().map(|change| change.path.as_path()).collect();
        let overlaps = |path: &Path| {
            touched.contains(path)
                || path.ancestors().skip(1).any(|above| touched.contains(above))
                || touched.range(path..).next().is_some_and(|next| next.starts_with(path))
        };
        let mut found: Vec<(PathBuf, &'static str)> = Vec::new();
        for entry in state.entries.iter().filter(|entry| overlaps(&entry.path)) {
            let how = match entry.kind {
                EntryKind::Untracked | EntryKind::NestedRepository => "untracked there",
                EntryKind::Conflicted => "in conflict",
                _ if entry.staged => "staged",
                _ => "changed and not committed",
            };
            found.push((entry.path.clone(), how));
        }
        for path in self.hidden(git).await?.into_iter().filter(|path| overlaps(path)) {
            found.push((path, "hidden from git (assume-unchanged or skip-worktree)"));
        }
        let added = changes.iter().filter(|change| change.status == 'A');
        for path in added.filter_map(|change| self.blocked(change, &changes)) {
            if !found.iter().any(|(known, _)| *known == path) {
                found.push((path, "a file there that git ignores or does not know"));
            }
        }
        let count = found.len();
        Ok(found.into_iter().next().map(|(path, how)| NotLanded::InTheWay { path, count, how }))
    }

    /// Files git was told not to look at, as long as they are there.
    async fn hidden(&self, git: &call::Git<'_>) -> Result<Vec<PathBuf>> {
        let output = git.run("list the files", ["ls-files", "-v", "-z"]).await?;
        let marked = call::fields(&output.stdout)
            .filter(|field| {
                field.first().is_some_and(|tag| tag.is_ascii_lowercase() || *tag == b'S')
            })
            .filter_map(|field| field.get(2..).map(call::path));
        Ok(marked.filter(|path| self.root().join(path).symlink_metadata().is_ok()).collect())
    }

    /// What stands where a file would be added, ignored files included.
    fn blocked(&self, change: &Change, changes: &[Change]) -> Option<PathBuf> {
        let there = |path: &Path| self.root().join(path).symlink_metadata().ok();
        let leaves = |path: &Path| changes.iter().any(|c| c.status == 'D' && c.path == path);
        // A link or file where a folder must be stands in the way as well, unless it leaves, too.
        let above = change.path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
        for path in above {
            if there(path).is_some_and(|meta| !meta.is_dir()) {
                return (!leaves(path)).then(|| path.to_owned());
            }
        }
        let meta = there(&change.path)?;
        if !meta.is_dir() {
            return Some(change.path.clone());
        }
        // A folder gives way when every file in it is one that the result deletes.
        first_file(&self.root().join(&change.path), &|path| {
            path.strip_prefix(self.root()).is_ok_and(&leaves)
        })
        .map(|path| path.strip_prefix(self.root()).map_or(path.clone(), Path::to_owned))
    }
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

fn not(reason: NotLanded) -> Result<FastForward> {
    Ok(FastForward::NotLanded(reason))
}

/// The first file below a folder that may not go.
fn first_file(dir: &Path, may_go: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
    for entry in std::fs::read_dir(dir).ok()?.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if let Some(found) = first_file(&path, may_go) {
                return Some(found);
            }
        } else if !may_go(&path) {
            return Some(path);
        }
    }
    None
}

/// The one command that takes what is on a branch into the checkout at `root`, for a shell.
/// Git lays changes of the user's aside for it and brings them back on top.
#[must_use]
pub fn take_command(root: &Path, branch: &str) -> String {
    format!("git -C {} merge --autostash {}", shell_word(root), shell_word(Path::new(branch)))
}

/// A word as a POSIX shell reads it; quoted only when it has to be.
#[must_use]
pub fn shell_word(word: &Path) -> String {
    let text = word.display().to_string();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@%,=".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_takes_a_branch_is_quoted_where_a_shell_needs_it() {
        let plain = take_command(Path::new("/home/me/p"), "orchflow/run_1");
        assert_eq!(plain, "git -C /home/me/p merge --autostash orchflow/run_1");
        let quoted = take_command(Path::new("/home/me/it's a p"), "orchflow/run_1");
        assert_eq!(quoted, r"git -C '/home/me/it'\''s a p' merge --autostash orchflow/run_1");
    }

    #[test]
    fn every_reason_is_a_sentence_that_names_what_stands_in_the_way() {
        let path = PathBuf::from("src/a.rs");
        let reason = NotLanded::InTheWay { path, count: 3, how: "staged" };
        assert_eq!(
            reason.to_string(),
            "`src/a.rs` would be changed, and it is staged (and 2 more)"
        );
    }
}
