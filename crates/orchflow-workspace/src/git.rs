//! The git program, asked in a way that nothing a repository brings along can run.
//!
//! A [`Repo`] is a cheap handle on one checkout: the user's own or a linked worktree.
//! Every call goes through `call`, which sets the hardening; nothing here touches a
//! network, and nothing uncommitted is deleted before it is saved under
//! `refs/orchflow/saved/`. It is not a git library: it does what runs need.

mod branch;
mod call;
mod diff;
mod drivers;
mod exclude;
mod land;
mod merge;
mod repair;
mod saved;
mod snapshot;
mod status;
mod worktree;

pub use branch::{Commit, valid_branch};
pub use diff::{Change, Diff, DiffTo};
pub use land::{FastForward, NotLanded, shell_word, take_command};
pub use merge::Merge;
pub use repair::Repaired;
pub use saved::{RefKind, Saved};
pub use status::{EntryKind, Operation, RepoState, StatusEntry};
pub use worktree::Worktree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Error, Result};

/// A handle on one checkout of a repository; cheap to clone, holds nothing open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repo(Arc<Place>);

#[derive(Debug, PartialEq, Eq)]
struct Place {
    root: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
}

impl Repo {
    /// The checkout that `dir` is in.
    ///
    /// # Errors
    /// [`Error::NoRepository`], [`Error::Bare`] (an embedded bare repository, too), or git's
    /// refusal, such as a repository that another user owns.
    pub async fn open(dir: &Path) -> Result<Self> {
        let lines = match call::discover(dir).await? {
            call::Discovery::Checkout(lines) => lines,
            call::Discovery::Bare => return Err(Error::Bare { dir: dir.to_owned() }),
            call::Discovery::Nothing => return Err(Error::NoRepository { dir: dir.to_owned() }),
        };
        let [git_dir, common_dir, root] = lines;
        Ok(Self::at(root, git_dir, common_dir))
    }

    pub(crate) fn at(root: PathBuf, git_dir: PathBuf, common_dir: PathBuf) -> Self {
        Self(Arc::new(Place { root, git_dir, common_dir }))
    }

    /// The top folder of the checkout, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// Git's folder for this checkout: its HEAD and index are there.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.0.git_dir
    }

    /// Git's folder for the whole repository: objects, branches and configuration.
    #[must_use]
    pub fn common_dir(&self) -> &Path {
        &self.0.common_dir
    }

    /// The commit at HEAD.
    ///
    /// # Errors
    /// [`Error::Empty`] when there is none yet.
    pub async fn head(&self) -> Result<String> {
        match self.resolve("HEAD").await? {
            Some(commit) => Ok(commit),
            None => Err(Error::Empty { root: self.root().to_owned() }),
        }
    }

    /// The commit a revision names, if it names one.
    ///
    /// # Errors
    /// [`Error::BadName`], or git could not be asked.
    pub async fn resolve(&self, revision: &str) -> Result<Option<String>> {
        call::revision(revision)?;
        let word = format!("{revision}^{{commit}}");
        let args = ["rev-parse", "--verify", "--quiet", "--end-of-options", &word];
        let output = self.plain().attempt("find a commit", args).await?;
        Ok(output.status.success().then(|| output.text()))
    }
}
