//! Why there is no place for something, and how to mend it.

use std::io;
use std::path::PathBuf;

use orchflow_types::{ErrorKind, Explain};

use super::SOCKET_PATH_MAX;

/// Why there is no place for something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `ORCHFLOW_HOME` nor `HOME` is set.
    #[error("there is no home folder: neither ORCHFLOW_HOME nor HOME is set")]
    NoHome,
    /// The path is longer than a socket's may be, and the short folder cannot be used.
    #[error(
        "the socket path {} is longer than {SOCKET_PATH_MAX} bytes, and the short folder {} cannot be used",
        path.display(), short.display()
    )]
    SocketPathTooLong {
        /// The path as it should be.
        path: PathBuf,
        /// The folder that would have been used instead.
        short: PathBuf,
        /// Why it cannot be.
        #[source]
        source: Box<Error>,
    },
    /// A folder could not be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A private folder belongs to somebody else.
    #[error("the folder {} belongs to another user", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoHome => ErrorKind::Config,
            Self::SocketPathTooLong { .. } => ErrorKind::SocketPathTooLong,
            Self::Folder { source, .. } => kind_of(source),
            Self::Foreign { .. } => ErrorKind::PermissionDenied,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoHome => "set ORCHFLOW_HOME to a folder orchflow may write to".into(),
            Self::SocketPathTooLong { .. } => "set ORCHFLOW_HOME to a shorter path".into(),
            Self::Folder { path, source } if kind_of(source) == ErrorKind::StorageFull => {
                format!("`df -h {}` shows how full the disk is", path.display())
            }
            Self::Folder { path, .. } => {
                format!("`ls -ld {}` shows who may write there", path.display())
            }
            Self::Foreign { .. } => "set ORCHFLOW_HOME to a folder of your own".into(),
        })
    }
}

/// What it means to a user that a file of ours could not be written.
pub(crate) fn kind_of(source: &io::Error) -> ErrorKind {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::StorageFull,
        _ => ErrorKind::File,
    }
}
