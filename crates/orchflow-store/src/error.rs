//! What can go wrong with the database, each with its kind and the one next command.
//!
//! Errors can be cloned: when a commit fails, everyone in the batch is told the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use orchflow_types::{AttentionId, ErrorKind, Explain, PaneId, RunId, TaskId};
use rusqlite::{ErrorCode, ffi};

/// Everything that can go wrong in this crate.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened as orchflow's database; it was left as it is.
    #[error("cannot open {path}: {trouble}", path = path.display())]
    Open {
        /// The database.
        path: PathBuf,
        /// What is the matter.
        trouble: Trouble,
        /// The newest backup beside it, when there is one.
        backup: Option<PathBuf>,
        /// What SQLite or the system said, when one of them was asked.
        #[source]
        source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    },
    /// The database was written by a newer orchflow; it was left as it is.
    #[error(
        "{path} was written by a newer orchflow: its {part} tables have version {found}, this \
         orchflow knows up to {known}", path = path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Which set of tables.
        part: String,
        /// The version in the file.
        found: u32,
        /// The newest version this build knows.
        known: u32,
    },
    /// The schema could not be brought up to date; the old one is still in place.
    #[error("cannot bring the {part} tables of {path} to version {version}", path = path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// Which set of tables.
        part: &'static str,
        /// The version that was being made.
        version: u32,
        /// What went wrong.
        #[source]
        source: Box<Error>,
    },
    /// The backup that comes before a migration could not be made; nothing was changed.
    #[error("cannot back {path} up before its schema is changed", path = path.display())]
    Backup {
        /// The backup that was being written.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: Box<Error>,
    },
    /// The bundled SQLite is older than the one without the WAL-reset bug.
    #[error("SQLite {0} is too old: 3.51.3 or newer is needed")]
    OldSqlite(&'static str),
    /// A statement failed.
    #[error("the database could not be read or written: {trouble}")]
    Sql {
        /// What is the matter.
        trouble: Trouble,
        /// What SQLite said.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// A value could not be written as JSON.
    #[error("a value could not be written as JSON")]
    Json(#[source] Arc<serde_json::Error>),
    /// The writer's queue is full.
    #[error("too many writes are waiting for the disk")]
    Overloaded,
    /// The store was closed before the answer came; the write did not happen.
    #[error("the database is closed")]
    Closed,
    /// The work panicked; what it had written was taken back.
    #[error("a write to the database panicked: {0}")]
    Panicked(String),
    /// No such task.
    #[error("there is no {0}")]
    TaskNotFound(TaskId),
    /// No such run.
    #[error("there is no {0}")]
    RunNotFound(RunId),
    /// No such pane.
    #[error("there is no {0}")]
    PaneNotFound(PaneId),
    /// No such question.
    #[error("there is no {0}")]
    AttentionNotFound(AttentionId),
    /// A task cannot be moved below itself.
    #[error("{task} cannot be moved below {parent}: that is the task itself or a part of it")]
    Cycle {
        /// The task to move.
        task: TaskId,
        /// Where it should have gone.
        parent: TaskId,
    },
    /// A command was built on a state the journal does not have.
    #[error("the journal of {run} goes on at {next}, not at {seq}")]
    JournalPlace {
        /// The run.
        run: RunId,
        /// The place the command should have had.
        seq: u64,
        /// The next place.
        next: u64,
    },
    /// Somebody took the run over from whoever writes.
    #[error("{run} was taken over: its epoch is {current}, not {given}")]
    Fenced {
        /// The run.
        run: RunId,
        /// The epoch of who wants to write.
        given: u64,
        /// The epoch of its owner.
        current: u64,
    },
    /// Somebody else was first to answer.
    #[error("{attention} was answered already: {answer}")]
    AlreadyAnswered {
        /// The question.
        attention: AttentionId,
        /// What was answered.
        answer: String,
    },
    /// The question does not take this answer.
    #[error("{attention} takes {}, not `{given}`", options.join(", "))]
    NotAnOption {
        /// The question.
        attention: AttentionId,
        /// What was given.
        given: String,
        /// What it takes.
        options: Vec<String>,
    },
}

/// What is the matter with the database or its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// No room left on the disk.
    Full,
    /// Another process holds it.
    Locked,
    /// It is damaged, or no SQLite database at all.
    Corrupt,
    /// It is a SQLite database of some other program.
    Foreign,
    /// The file or its folder may not be written.
    ReadOnly,
    /// The folder it should be in is not there.
    NoFolder,
    /// What should be a file is something else.
    NotAFile,
    /// A row with this name exists already.
    Exists,
    /// A row does not hold what this build can read.
    Row,
    /// Something else, said by the source.
    Other,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full => "there is no room left on the disk",
            Self::Locked => "another process holds it",
            Self::Corrupt => "it is damaged or no database; it was left as it is",
            Self::Foreign => "it is a database of another program; it was left as it is",
            Self::ReadOnly => "it may not be written",
            Self::NoFolder => "its folder is not there",
            Self::NotAFile => "it is not a file",
            Self::Exists => "such a row exists already",
            Self::Row => "a row does not hold what this version can read",
            Self::Other => "SQLite refused",
        })
    }
}

impl Trouble {
    /// What an error of SQLite means.
    pub(crate) fn of(error: &rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, _) = error else {
            return match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..) => Self::Row,
                _ => Self::Other,
            };
        };
        match failure.code {
            ErrorCode::DiskFull => Self::Full,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Locked,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt,
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::ReadOnly,
            ErrorCode::ConstraintViolation => match failure.extended_code {
                ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE => Self::Exists,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    const fn kind(self) -> ErrorKind {
        match self {
            Self::Full => ErrorKind::StorageFull,
            Self::Locked => ErrorKind::StorageLocked,
            Self::Corrupt | Self::Foreign => ErrorKind::StorageCorrupt,
            Self::Exists => ErrorKind::Conflict,
            Self::ReadOnly | Self::NoFolder | Self::NotAFile | Self::Row | Self::Other => {
                ErrorKind::Storage
            }
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sql { trouble: Trouble::of(&source), source: Arc::new(source) }
    }
}

impl From<serde_json::Error> for Error {
    fn from(source: serde_json::Error) -> Self {
        Self::Json(Arc::new(source))
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Open { trouble, .. } | Self::Sql { trouble, .. } => trouble.kind(),
            Self::Newer { .. } => ErrorKind::StorageNewer,
            Self::Migration { source, .. } | Self::Backup { source, .. } => source.kind(),
            Self::OldSqlite(_) => ErrorKind::Unsupported,
            Self::Json(_) | Self::Panicked(_) => ErrorKind::Internal,
            Self::Overloaded => ErrorKind::Overloaded,
            Self::Closed => ErrorKind::Unavailable,
            Self::TaskNotFound(_) => ErrorKind::TaskNotFound,
            Self::RunNotFound(_) => ErrorKind::RunNotFound,
            Self::PaneNotFound(_) => ErrorKind::PaneNotFound,
            Self::AttentionNotFound(_) => ErrorKind::NotFound,
            Self::Cycle { .. }
            | Self::JournalPlace { .. }
            | Self::Fenced { .. }
            | Self::AlreadyAnswered { .. } => ErrorKind::Conflict,
            Self::NotAnOption { .. } => ErrorKind::InvalidParams,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open { path, trouble, backup, .. } => {
                open_hint(path, *trouble, backup.as_deref())
            }
            Self::Newer { .. } => Some("install the newer orchflow again".to_owned()),
            Self::Migration { source, .. } | Self::Backup { source, .. } => source.hint(),
            Self::Sql { trouble: Trouble::Full, .. } => Some("make room on the disk".to_owned()),
            Self::Sql { trouble: Trouble::Locked, .. } => {
                Some("end the other process that has the database open, then try again".to_owned())
            }
            Self::Overloaded => Some("try again in a moment".to_owned()),
            _ => None,
        }
    }
}

fn open_hint(path: &Path, trouble: Trouble, backup: Option<&Path>) -> Option<String> {
    let db = quoted(path);
    let folder = quoted(path.parent().unwrap_or(Path::new(".")));
    match (trouble, backup) {
        // The write-ahead log must go too: SQLite would replay it into the restored file.
        (Trouble::Corrupt, Some(backup)) => Some(format!(
            "stop the daemon and restore the newest backup: mkdir {db}.damaged && mv {db} {db}-* \
             {db}.damaged/; cp {} {db}",
            quoted(backup)
        )),
        (Trouble::Corrupt, None) => Some(format!(
            "there is no backup; to begin anew and keep the damaged file: mv {db} {db}.damaged"
        )),
        (Trouble::Foreign, _) => Some("give orchflow another path for its database".to_owned()),
        (Trouble::Full, _) => Some("make room on the disk".to_owned()),
        (Trouble::Locked, _) => Some(format!("end the process that has it open: fuser {db}")),
        (Trouble::NoFolder, _) => Some(format!("mkdir -p {folder}")),
        (Trouble::ReadOnly, _) => Some(format!("chmod u+rwX {folder} {db}")),
        _ => None,
    }
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
