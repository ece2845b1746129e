//! What keeps a door from opening, each with its kind and the one next command.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use orchflow_types::{ErrorKind, Explain};

/// Everything that can go wrong in this crate, apart from what methods answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The Unix socket could not be made.
    #[error("cannot listen at {path}", path = path.display())]
    Socket {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The path is longer than a socket's may be.
    #[error("the socket path {path} is too long for the system", path = path.display())]
    PathTooLong {
        /// Where it should be.
        path: PathBuf,
    },
    /// The folder or file is open to other users, so nothing in it can be a secret.
    #[error("{path} is open to other users (mode {mode:o}, owner {owner})", path = path.display())]
    Exposed {
        /// The folder or file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The uid that owns it.
        owner: u32,
    },
    /// The TCP address could not be listened at.
    #[error("cannot listen at {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The address can be reached from other machines.
    #[error(
        "{address} can be reached from other machines, and without TLS the token would cross the \
         network in the clear"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The token file could not be read or written.
    #[error("cannot {attempted} the token file {path}", path = path.display())]
    TokenFile {
        /// What was attempted.
        attempted: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The token file holds something else. What it holds is not repeated here.
    #[error("{path} holds no token in line {line}", path = path.display())]
    NoToken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Socket { .. } | Self::Listen { .. } => ErrorKind::Unavailable,
            Self::PathTooLong { .. } => ErrorKind::SocketPathTooLong,
            Self::Exposed { .. } => ErrorKind::PermissionDenied,
            Self::NotLoopback { .. } => ErrorKind::Unsupported,
            Self::TokenFile { .. } => ErrorKind::File,
            Self::NoToken { .. } => ErrorKind::Config,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Socket { .. } => None,
            Self::PathTooLong { .. } => Some("set ORCHFLOW_HOME to a shorter path".to_owned()),
            Self::Exposed { path, .. } => Some(format!("chmod go= {}", path.display())),
            Self::Listen { .. } => Some("choose another port with --listen".to_owned()),
            Self::NotLoopback { .. } => {
                Some("listen at 127.0.0.1 and reach it by `ssh -L`".to_owned())
            }
            Self::TokenFile { path, .. } => Some(format!("ls -l {}", path.display())),
            Self::NoToken { path, .. } => {
                Some(format!("rm {}; the next start writes a new one", path.display()))
            }
        }
    }
}
