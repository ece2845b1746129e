//! What can go wrong in a project folder, told so that nobody has to know git's exit codes.

use std::path::PathBuf;

use orchflow_runtime::process::SpawnError;
use orchflow_types::{ErrorKind, Explain};

/// What this crate answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be done to a project folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is in no git repository.
    #[error("{} is not in a git repository", dir.display())]
    NoRepository {
        /// What was looked at.
        dir: PathBuf,
    },
    /// The repository has no checkout.
    #[error("the git repository at {} is bare: it has no checkout to work in", dir.display())]
    Bare {
        /// What was looked at.
        dir: PathBuf,
    },
    /// The repository has no commit yet.
    #[error("the git repository at {} has no commit to start from", root.display())]
    Empty {
        /// Its checkout.
        root: PathBuf,
    },
    /// Git did not do what it was asked.
    #[error("could not {attempted} in {}: {said}", place.display())]
    Git {
        /// What was asked, as the end of "could not …".
        attempted: String,
        /// The checkout.
        place: PathBuf,
        /// What git said, shortened.
        said: String,
    },
    /// Git did not end in the time it had.
    #[error("git took too long to {attempted} in {} and was ended", place.display())]
    Timeout {
        /// What was asked.
        attempted: String,
        /// The checkout.
        place: PathBuf,
    },
    /// Git printed more than is kept.
    #[error("the answer was too long when asked to {attempted} in {}", place.display())]
    TooLong {
        /// What was asked.
        attempted: String,
        /// The checkout.
        place: PathBuf,
    },
    /// A text cannot be the name of this.
    #[error("`{given}` cannot be the name of a {what}")]
    BadName {
        /// A branch, a revision, a saved state.
        what: &'static str,
        /// What was given.
        given: String,
    },
    /// Something else is where a worktree should go.
    #[error("cannot make a worktree at {}: {taken_by}", path.display())]
    PathTaken {
        /// Where.
        path: PathBuf,
        /// What is there.
        taken_by: String,
    },
    /// The path is not a worktree of this repository.
    #[error("{} is not a worktree of this repository", path.display())]
    NotAWorktree {
        /// What was given.
        path: PathBuf,
    },
    /// The worktree may not be removed.
    #[error("the worktree {} stays: {why}", path.display())]
    Kept {
        /// The worktree.
        path: PathBuf,
        /// What would be lost or broken.
        why: String,
    },
    /// A conflict has to be solved first.
    #[error("{} in {} is in conflict", path.display(), root.display())]
    Conflicted {
        /// The checkout.
        root: PathBuf,
        /// The first path in conflict.
        path: PathBuf,
    },
    /// There is no saved state of this name.
    #[error("nothing is saved under the name `{name}`")]
    NoSaved {
        /// What was asked for.
        name: String,
    },
    /// A branch of this name is there already and holds something else.
    #[error("the branch `{branch}` exists already")]
    BranchExists {
        /// The branch.
        branch: String,
    },
    /// A project's configuration has a symbolic link that leaves the project.
    #[error("{} is a symbolic link that leaves the project", path.display())]
    LinkLeaves {
        /// The link, relative to the project.
        path: PathBuf,
    },
    /// A project's configuration is larger or has more files than is read.
    #[error("the project's own configuration is too large at {}: {limit}", path.display())]
    ConfigTooLarge {
        /// Where the limit was passed.
        path: PathBuf,
        /// The limit, in words.
        limit: String,
    },
    /// Git could not be started.
    #[error("git could not be started")]
    Start(#[source] SpawnError),
    /// A file or folder could not be read or written.
    #[error("could not {attempted} {}", path.display())]
    File {
        /// What was tried, as in "could not read …".
        attempted: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoRepository { .. } => ErrorKind::NoRepository,
            Self::Bare { .. } => ErrorKind::BareRepository,
            Self::Empty { .. } => ErrorKind::EmptyRepository,
            Self::Git { .. } | Self::TooLong { .. } => ErrorKind::Git,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::BadName { .. } => ErrorKind::InvalidParams,
            Self::PathTaken { .. }
            | Self::Kept { .. }
            | Self::BranchExists { .. }
            | Self::Conflicted { .. } => ErrorKind::Conflict,
            Self::NotAWorktree { .. } | Self::NoSaved { .. } => ErrorKind::NotFound,
            Self::LinkLeaves { .. } => ErrorKind::PermissionDenied,
            Self::ConfigTooLarge { .. } | Self::File { .. } => ErrorKind::File,
            Self::Start(source) => source.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoRepository { dir } => {
                Some(format!("make it one with `git init {}`", crate::git::shell_word(dir)))
            }
            Self::Empty { root } => Some(format!(
                "make a first commit: `git -C {} commit --allow-empty -m start`",
                crate::git::shell_word(root)
            )),
            Self::Bare { .. } => Some("go to a checkout: `git worktree add PATH`".to_owned()),
            Self::Git { said, place, .. } if said.contains("dubious ownership") => Some(format!(
                "if you trust its owner: `git config --global --add safe.directory {}`",
                crate::git::shell_word(place)
            )),
            Self::Git { said, .. } if said.contains(".lock") => {
                Some("let the other git command end, or remove its lock file".to_owned())
            }
            Self::NoSaved { .. } => Some("`orchflow runs rescue` lists what is saved".to_owned()),
            Self::LinkLeaves { path } => {
                Some(format!("replace the link with a file: `rm {}`", crate::git::shell_word(path)))
            }
            Self::Start(source) => source.hint(),
            _ => None,
        }
    }
}
