//! What can be wrong with settings, each told with its file and line.

use std::path::PathBuf;

use orchflow_types::{ErrorKind, Explain};

/// Where a value stands: a file and line, or a variable; empty for one that a call gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place(pub String);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}

/// What is wrong with a setting or its file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is no TOML.
    #[error("{place}this is not TOML: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser said.
        message: String,
    },
    /// No setting has this name.
    #[error("{place}there is no setting `{key}`")]
    Unknown {
        /// Where.
        place: Place,
        /// The dotted name.
        key: String,
        /// The name that was likely meant.
        nearest: Option<String>,
    },
    /// The setting holds something else.
    #[error("{place}`{key}` must be {expected}, not {found}")]
    WrongValue {
        /// Where.
        place: Place,
        /// The dotted name.
        key: String,
        /// What it may hold.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The value is known and not possible in this version.
    #[error("{place}`{key} = \"{value}\"` is not possible in this version")]
    NotYet {
        /// Where.
        place: Place,
        /// The dotted name.
        key: String,
        /// The value.
        value: String,
        /// What is possible.
        possible: String,
    },
    /// An agent of configuration does not say enough.
    #[error("{place}the agent `{name}` has no `{missing}`")]
    Agent {
        /// Where something of it stands.
        place: Place,
        /// The agent's name.
        name: String,
        /// The setting that is missing.
        missing: &'static str,
    },
    /// The command of an agent cannot be split into words.
    #[error("{place}the command of agent `{name}` has a quote or a backslash that is not closed")]
    Quote {
        /// Where something of the agent stands.
        place: Place,
        /// The agent's name.
        name: String,
    },
    /// A project's file is not what the user trusted.
    #[error("{} is not what was trusted: it changed while it was read", path.display())]
    Moved {
        /// Which.
        path: PathBuf,
    },
    /// The trusted file of a project could not be read.
    #[error(transparent)]
    Project(orchflow_workspace::Error),
    /// A file could not be read or written.
    #[error("cannot {attempt} {}", path.display())]
    File {
        /// `read` or `write`.
        attempt: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::File { .. } => ErrorKind::File,
            Self::Moved { .. } => ErrorKind::Untrusted,
            Self::Project(error) => error.kind(),
            _ => ErrorKind::Config,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Moved { .. } => Some("`orchflow trust` shows it as it is now".into()),
            Self::Project(error) => error.hint(),
            Self::Unknown { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            Self::Unknown { .. } => Some("`orchflow config show` lists every setting".into()),
            Self::NotYet { possible, .. } => Some(format!("it may be {possible}")),
            Self::Agent { name, missing, .. } => {
                let value =
                    if *missing == "kind" { "\"command\"" } else { "\"my-agent {prompt}\"" };
                Some(format!("add `{missing} = {value}` below `[agents.{name}]`"))
            }
            Self::Quote { .. } => {
                Some("a list needs no quotes: `command = [\"my-agent\", \"{prompt}\"]`".into())
            }
            _ => None,
        }
    }
}
