//! What can go wrong in the manager, and how to mend it.

use std::path::PathBuf;

use orchflow_types::{ErrorKind, Explain, PaneId};

/// Why a call of the manager was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database would not.
    #[error(transparent)]
    Store(#[from] orchflow_store::Error),
    /// A pane, its log or its terminal would not.
    #[error(transparent)]
    Terminal(#[from] orchflow_terminal::Error),
    /// Git or the project's folder would not.
    #[error(transparent)]
    Workspace(#[from] orchflow_workspace::Error),
    /// There is no such pane.
    #[error("there is no {0}")]
    NoPane(PaneId),
    /// Its process has ended.
    #[error("{0} has ended")]
    PaneEnded(PaneId),
    /// A path that must be absolute is not.
    #[error("`{}` is not an absolute path", path.display())]
    RelativePath {
        /// What was given.
        path: PathBuf,
    },
    /// A folder is not there, or is no folder.
    #[error("there is no folder {}", path.display())]
    NoFolder {
        /// What was given.
        path: PathBuf,
    },
    /// A parameter cannot be what was given.
    #[error("`{given}` cannot be {what}")]
    BadParam {
        /// What was given.
        given: String,
        /// What it should have been, as the end of "cannot be …".
        what: &'static str,
    },
    /// The folder is none of the worktrees that were made here.
    #[error("{} is not a worktree of orchflow's", path.display())]
    NotOurWorktree {
        /// What was given.
        path: PathBuf,
    },
    /// What should be trusted is not what is there now.
    #[error("the configuration of {dir} has changed since its hash {given} was shown")]
    TrustMoved {
        /// The folder.
        dir: String,
        /// The hash that was shown.
        given: String,
    },
    /// Everything is being ended.
    #[error("the daemon is shutting down and starts nothing new")]
    Closing,
    /// Something that cannot fail panicked; the rest goes on.
    #[error("a fault of orchflow while it tried to {attempted}")]
    Fault {
        /// What was attempted.
        attempted: &'static str,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Terminal(error) => error.kind(),
            Self::Workspace(error) => error.kind(),
            Self::NoPane(_) => ErrorKind::PaneNotFound,
            Self::PaneEnded(_) | Self::TrustMoved { .. } => ErrorKind::Conflict,
            Self::RelativePath { .. } | Self::BadParam { .. } => ErrorKind::InvalidParams,
            Self::NoFolder { .. } => ErrorKind::File,
            Self::NotOurWorktree { .. } => ErrorKind::PermissionDenied,
            Self::Closing => ErrorKind::Unavailable,
            Self::Fault { .. } => ErrorKind::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Terminal(error) => error.hint(),
            Self::Workspace(error) => error.hint(),
            Self::NoPane(_) => Some("`orchflow pane list` shows those there are".to_owned()),
            Self::PaneEnded(pane) => Some(format!("`orchflow pane info {pane}` tells how")),
            Self::TrustMoved { dir, .. } => {
                let dir = orchflow_workspace::git::shell_word(dir.as_ref());
                Some(format!("look at it again with `orchflow trust {dir}`"))
            }
            Self::Closing => Some("start it again with `orchflow up`".to_owned()),
            Self::NotOurWorktree { .. } => {
                Some("`git worktree list` shows which there are".to_owned())
            }
            _ => None,
        }
    }
}
