//! Commits: of a worktree as its owner would make one, and of a working tree that must not notice.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::diff::pathspec;
use super::status::{EntryKind, RepoState};
use super::{Repo, call};
use crate::{Error, Result};

/// The longest message; one word of a command line may be 128 KiB on Linux.
const MESSAGE_LIMIT: usize = 100 << 10;

impl Repo {
    /// A commit of the working tree as it is, untracked files included, ignored ones not;
    /// its parent is HEAD. Neither files nor index, HEAD, branches or stash are touched.
    /// HEAD itself when nothing differs from it. No ref holds it: see [`Repo::save_ref`].
    ///
    /// Repositories inside the working tree that this one does not know are left out.
    ///
    /// # Errors
    /// A file could not be read, or git could not be asked.
    pub async fn snapshot(&self, message: &str) -> Result<String> {
        let git = self.guarded().await?;
        let state = self.state_by(&git).await?;
        if let (Some(head), false) = (&state.head, holds_work(&state)) {
            return Ok(head.clone());
        }
        let index = Scratch::copy_of(&self.git_dir().join("index"), self.common_dir())?;
        let git = git.with("GIT_INDEX_FILE", index.path.as_os_str());
        stage(&git, &state).await?;
        self.commit_index(&git, state.head.as_deref(), message).await
    }

    /// Commits everything that is uncommitted in this worktree, untracked files included, on
    /// its branch (on its HEAD alone when that is detached); none when there is nothing. The author is the user, or `orchflow` for one
    /// who told git no name. Trailers are lines `KEY: VALUE` at the end of the message.
    ///
    /// # Errors
    /// [`Error::Conflicted`], a file could not be read, or git could not be asked.
    pub async fn commit_all(
        &self,
        message: &str,
        trailers: &[(String, String)],
    ) -> Result<Option<String>> {
        let git = self.guarded().await?;
        let state = self.state_by(&git).await?;
        if !holds_work(&state) && state.operation.is_none() {
            return Ok(None);
        }
        // Staging would call it solved, markers and all.
        if let Some(entry) = state.entries.iter().find(|e| e.kind == EntryKind::Conflicted) {
            let (root, path) = (self.root().to_owned(), entry.path.clone());
            return Err(Error::Conflicted { root, path });
        }
        stage(&git, &state).await?;
        let attempted = "commit the changes";
        let message = with_trailers(message, trailers);
        let args = ["commit", "--quiet", "--no-verify", "--cleanup=whitespace", "-m", &message];
        let output = git.attempt(attempted, args).await?;
        let head = self.resolve("HEAD").await?;
        if output.status.success() {
            return Ok(head);
        }
        // What status called a change can turn out to be none once it is staged (line ends).
        let args = ["diff-index", "--cached", "--quiet", "HEAD", "--"];
        if head.is_some() && git.attempt(attempted, args).await?.status.success() {
            return Ok(None);
        }
        Err(git.failure(attempted, &output))
    }

    /// A commit of what the index of `git` holds, on no branch.
    pub(super) async fn commit_index(
        &self,
        git: &call::Git<'_>,
        parent: Option<&str>,
        message: &str,
    ) -> Result<String> {
        let attempted = "commit a snapshot";
        let tree = git.run(attempted, ["write-tree"]).await?.text();
        let message = cut(message);
        let mut args = vec!["commit-tree", &tree, "-m", message];
        if let Some(parent) = parent {
            args.extend(["-p", parent]);
        }
        Ok(git.run(attempted, args).await?.text())
    }
}

/// Whether a commit would hold more than HEAD does.
pub(super) fn holds_work(state: &RepoState) -> bool {
    state.entries.iter().any(|entry| entry.kind != EntryKind::NestedRepository)
}

pub(super) async fn stage(git: &call::Git<'_>, state: &RepoState) -> Result<()> {
    // A nested repository would be staged as a link to a commit that nobody else has.
    let nested = state.entries.iter().filter(|entry| entry.kind == EntryKind::NestedRepository);
    let skipped = nested.map(|entry| pathspec("top,exclude,literal", &entry.path));
    let args = ["add", "--all", "--", ":/"].into_iter().map(OsString::from).chain(skipped);
    git.run("stage the changes", args).await.map(drop)
}

pub(super) fn with_trailers(message: &str, trailers: &[(String, String)]) -> String {
    let mut text = cut(message).trim_end().to_owned();
    let mut separator = "\n\n";
    for (key, value) in trailers {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!("{separator}{key}: {value}"));
        separator = "\n";
    }
    text
}

pub(super) fn cut(message: &str) -> &str {
    let mut end = message.len().min(MESSAGE_LIMIT);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

/// The folder in git's own folder where half-done work of ours lies.
pub(super) fn scratch_dir(common_dir: &Path) -> PathBuf {
    common_dir.join("orchflow")
}

/// An index of our own, gone when this is dropped.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn copy_of(index: &Path, common_dir: &Path) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let dir = scratch_dir(common_dir);
        let failed =
            |path: &Path, source| Error::File { attempted: "write", path: path.to_owned(), source };
        std::fs::create_dir_all(&dir).map_err(|source| failed(&dir, source))?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let scratch = Self { path: dir.join(format!("index-{}-{number}", std::process::id())) };
        match copy_with_time(index, &scratch.path) {
            Ok(()) => Ok(scratch),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(scratch),
            Err(source) => Err(failed(&scratch.path, source)),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(self.path.with_extension("lock"));
    }
}

/// Git doubts entries as young as the index; a copy must not look younger than it is.
fn copy_with_time(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut source = std::fs::File::open(from)?;
    let modified = source.metadata()?.modified()?;
    let mut target = std::fs::File::create(to)?;
    std::io::copy(&mut source, &mut target)?;
    target.set_modified(modified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_are_a_block_of_their_own_with_a_line_each() {
        let trailers = [
            ("Orchflow-Run".to_owned(), "run_1".to_owned()),
            ("Gates".to_owned(), "two\nlines".to_owned()),
        ];
        let text = with_trailers("Subject\n\nBody\n", &trailers);
        assert_eq!(text, "Subject\n\nBody\n\nOrchflow-Run: run_1\nGates: two lines");
    }

    #[test]
    fn a_message_is_cut_between_letters() {
        let long = "ä".repeat(MESSAGE_LIMIT);
        assert_eq!(cut(&long).len(), MESSAGE_LIMIT);
        assert_eq!(cut(&format!("a{long}")).len(), MESSAGE_LIMIT - 1);
    }
}
