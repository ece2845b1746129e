//! The git program, asked in a way that nothing a repository brings along can run.
//!
//! A [`Repo`] is a cheap handle on one checkout: the user's own or a linked worktree.
//! Every call goes through `call`, which sets the hardening; nothing here touches a
//! network, and nothing uncommitted is deleted before it is saved under
//! `refs/orchflow/saved/`. It is not a git library: it does what runs need.

mod admin;
mod branch;
mod call;
mod diff;
mod drivers;
mod exclude;
mod keyed;
mod land;
mod merge;
mod refs;
mod repair;
mod reset;
mod saved;
mod snapshot;
mod status;
mod worktree;

pub use branch::{Commit, valid_branch};
pub use diff::{Change, Diff, DiffTo};
pub use keyed::{KEY_TRAILER, KeyedCommit};
pub use land::{FastForward, NotLanded, Onto, shell_word, take_command};
pub use merge::Merge;
pub use refs::Refs;
pub use repair::Repaired;
pub use reset::{Leaving, Reset};
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

    /// The worktree at `path` of the repository whose common folder is `common_dir`, as
    /// [`Repo::common_dir`] answers it; nothing inside the worktree is believed.
    ///
    /// # Errors
    /// [`Error::NoRepository`], [`Error::NotAWorktree`].
    pub fn of(common_dir: &Path, path: &Path) -> Result<Self> {
        if !common_dir.join("objects").is_dir() {
            return Err(Error::NoRepository { dir: common_dir.to_owned() });
        }
        let common = common_dir.to_owned();
        Self::at(path.to_owned(), common.clone(), common).worktree(path)
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

    /// Whether this is the checkout the repository was made with, and not a linked worktree.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.git_dir() == self.common_dir()
    }

    /// A name for a folder of things that belong to this repository: the name of its main
    /// checkout and eight hexadecimal digits that tell it from others of that name.
    #[must_use]
    pub fn folder_name(&self) -> String {
        let common = self.common_dir();
        let own_folder = common.file_name().is_some_and(|name| name == ".git");
        let place = if own_folder { common.parent().unwrap_or(common) } else { common };
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let letter = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
        let name: String = name.chars().map(letter).take(60).collect();
        let hash = blake3::hash(place.as_os_str().as_encoded_bytes()).to_hex();
        format!("{}-{}", name.trim_start_matches('-'), &hash[..8])
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
