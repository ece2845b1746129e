//! Why a command was not taken. A refusal changes nothing.

use orchflow_types::run::RunStatus;
use orchflow_types::{ErrorKind, Explain};

use crate::action::ActionKey;

/// Why a command was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The action is not in flight, or was handed out again with another epoch.
    #[error("the outcome of `{key}` with epoch {epoch} is not awaited")]
    Stale {
        /// What was answered.
        key: ActionKey,
        /// With which epoch.
        epoch: u64,
    },
    /// A new process must have a greater epoch than the one before.
    #[error("epoch {given} is not newer than epoch {current}")]
    OldEpoch {
        /// What was given.
        given: u64,
        /// What the run has.
        current: u64,
    },
    /// The run has ended; nothing of it changes any more.
    #[error("the run has ended: it is {}", .status.as_str())]
    Finished {
        /// How it ended.
        status: RunStatus,
    },
    /// The run is not where this command can be taken.
    #[error("`{command}` cannot be taken now: {reason}")]
    Conflict {
        /// The name of the command.
        command: &'static str,
        /// Why, for a person.
        reason: String,
    },
    /// The nodes of a plan do not make a tree that can be worked through.
    #[error("the plan cannot be carried out: {reason}")]
    BadPlan {
        /// What is wrong with it and where.
        reason: String,
    },
}

impl Explain for Refused {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::BadPlan { .. } => ErrorKind::Plan,
            _ => ErrorKind::Conflict,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Finished { .. } => {
                Some("start a new run of the same task: `orchflow run --task TASK`".to_owned())
            }
            Self::Conflict { .. } => {
                Some("see where the run stands: `orchflow runs show RUN`".to_owned())
            }
            Self::BadPlan { .. } => {
                Some("mend `.orchflow/plan.md` and approve it again".to_owned())
            }
            Self::Stale { .. } | Self::OldEpoch { .. } => None,
        }
    }
}

/// Why a journal could not be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It does not begin with `Command::Create`.
    #[error("the journal does not begin with the creation of a run")]
    NoBeginning,
    /// A command that was once taken is refused.
    #[error("command {place} of the journal is refused")]
    Refused {
        /// Its place, from 0.
        place: usize,
        /// Why.
        #[source]
        refused: Refused,
    },
}

impl Explain for ReplayError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }
}
