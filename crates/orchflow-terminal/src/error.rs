//! What can go wrong with a pane, its log and its terminal; told so that it can be mended.

use std::io;
use std::path::PathBuf;

use orchflow_runtime::process::SpawnError;
use orchflow_types::{ErrorKind, Explain, PaneId};

/// Why something asked of a pane was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its process could not be started.
    #[error("{pane} was not started: {source}")]
    Spawn {
        /// Which.
        pane: PaneId,
        /// Why.
        source: SpawnError,
    },
    /// The system refused what a pane needs: a descriptor, a size.
    #[error("cannot {attempted} of {pane}")]
    System {
        /// Which.
        pane: PaneId,
        /// What was attempted, as words that fit after "cannot".
        attempted: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Its process does not read what was written to it before.
    #[error("{pane} does not read its input: {waiting} bytes wait already")]
    Overloaded {
        /// Which.
        pane: PaneId,
        /// Bytes that wait to be read.
        waiting: usize,
    },
    /// Its input was closed, or its process has ended.
    #[error("{pane} takes no more input")]
    InputClosed {
        /// Which.
        pane: PaneId,
    },
    /// It has pipes, and this needs a terminal.
    #[error("{pane} has no terminal")]
    NoTerminal {
        /// Which.
        pane: PaneId,
    },
    /// Its process has ended.
    #[error("{pane} has ended")]
    Ended {
        /// Which.
        pane: PaneId,
    },
    /// There is no holder of terminals to be had.
    #[error("the holder of terminals at {door} does not answer")]
    NoHolder {
        /// Its socket.
        door: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The holder went away in the middle.
    #[error("the holder of terminals has gone away, and its panes with it")]
    HolderGone,
    /// What the holder said.
    #[error("{message}")]
    Refused {
        /// The kind it gave.
        kind: ErrorKind,
        /// What it said.
        message: String,
        /// How to mend it.
        hint: Option<String>,
    },
    /// An output log could not be read or made.
    #[error("cannot {attempted} the output log {path}")]
    Log {
        /// What was attempted, as a verb.
        attempted: &'static str,
        /// Where the log is.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not an output log.
    #[error("{path} is not an output log of orchflow")]
    NotALog {
        /// Where it is.
        path: PathBuf,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Spawn { source, .. } => source.kind(),
            Self::System { .. } | Self::NoHolder { .. } | Self::HolderGone => {
                ErrorKind::Unavailable
            }
            Self::Refused { kind, .. } => *kind,
            Self::Overloaded { .. } => ErrorKind::Overloaded,
            Self::InputClosed { .. } | Self::Ended { .. } => ErrorKind::Conflict,
            Self::NoTerminal { .. } => ErrorKind::Unsupported,
            Self::Log { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                ErrorKind::StorageFull
            }
            Self::Log { .. } | Self::NotALog { .. } => ErrorKind::File,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Spawn { source, .. } => source.hint(),
            Self::Overloaded { pane, .. } => {
                Some(format!("see what it waits for with `orchflow pane read {pane} --screen`"))
            }
            Self::InputClosed { pane } | Self::Ended { pane } => {
                Some(format!("see how it ended with `orchflow pane info {pane}`"))
            }
            Self::NoTerminal { .. } => {
                Some("create the pane with a terminal (without `tty: false`)".to_owned())
            }
            Self::Refused { hint, .. } => hint.clone(),
            Self::NoHolder { .. } => Some(
                "look for another `orchflow muxd` of yours, or see `orchflow doctor`".to_owned(),
            ),
            Self::HolderGone | Self::System { .. } | Self::Log { .. } | Self::NotALog { .. } => {
                None
            }
        }
    }
}
