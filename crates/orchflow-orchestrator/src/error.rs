//! What can go wrong in the orchestrator, and how to mend it.

use orchflow_types::{AttentionId, ErrorKind, Explain, RunId, TaskId};

/// Why a call of the orchestrator was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database would not.
    #[error(transparent)]
    Store(#[from] orchflow_store::Error),
    /// The run is not where this could be taken.
    #[error(transparent)]
    Refused(#[from] orchflow_workflow::Refused),
    /// A manager refused.
    #[error("{0}")]
    Called(orchflow_protocol::Error),
    /// There is no such run.
    #[error("there is no run {0}")]
    NoRun(RunId),
    /// There is no such task.
    #[error("there is no task {0}")]
    NoTask(TaskId),
    /// There is no such question.
    #[error("there is no question {0}")]
    NoAttention(AttentionId),
    /// A field that must say something says nothing.
    #[error("{field} is empty")]
    EmptyField {
        /// Which.
        field: &'static str,
    },
    /// A cursor that this list never gave out.
    #[error("`{given}` is not a cursor of this list")]
    BadCursor {
        /// What was given.
        given: String,
    },
    /// The question does not take this answer.
    #[error("`{given}` is not an answer to {attention}; it takes {}", .options.join(", "))]
    BadAnswer {
        /// Which question.
        attention: AttentionId,
        /// What was given.
        given: String,
        /// What it takes.
        options: Vec<String>,
    },
    /// No agent could do the work.
    #[error("no agent can do this: {looked_for}")]
    NoAgent {
        /// What was looked for and what came of it.
        looked_for: String,
    },
    /// An agent was named that nobody knows.
    #[error("no agent is called `{name}`; there are {}", .known.join(", "))]
    UnknownAgent {
        /// The name.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The goal holds nothing that could be done here.
    #[error("nothing to do: {reason}")]
    NothingToDo {
        /// Why.
        reason: String,
    },
    /// No architect made a plan, and the rules have none.
    #[error("there is no plan: {}", .gave_up.join("; "))]
    NoPlan {
        /// Which architect gave up and why, a sentence each.
        gave_up: Vec<String>,
    },
    /// A plan that cannot be read.
    #[error(transparent)]
    Plan(#[from] orchflow_workflow::plan_markdown::PlanError),
    /// A tree to import that does not hold together.
    #[error("the tree cannot be imported: {reason}")]
    BadTree {
        /// What is wrong and where.
        reason: String,
    },
    /// Somebody is at it.
    #[error("{0} is being worked on by {1}")]
    Busy(TaskId, RunId),
    /// It is not what it was when the call began.
    #[error("{0} was changed while it was about to be started")]
    Changed(TaskId),
    /// A policy file that cannot be read.
    #[error("{file}: {reason}")]
    Policy {
        /// Which.
        file: String,
        /// What is wrong and where.
        reason: String,
    },
    /// A setting that cannot be used.
    #[error("{reason}")]
    Configuration {
        /// What is wrong and where.
        reason: String,
        /// How to mend it.
        hint: Option<String>,
    },
    /// Settings of a repository for agents, which the user has not trusted as they are.
    #[error("`{path}` of the repository would steer the agent and is not trusted as it is")]
    Untrusted {
        /// The first file of them.
        path: String,
    },
    /// Params that contradict themselves.
    #[error("{reason}")]
    Params {
        /// What is wrong.
        reason: String,
    },
    /// The run's task ended unexpectedly.
    #[error("{0} stopped unexpectedly")]
    RunLost(RunId),
}

impl From<orchflow_protocol::Error> for Error {
    fn from(error: orchflow_protocol::Error) -> Self {
        Self::Called(error)
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Refused(error) => error.kind(),
            Self::Called(error) => error.kind(),
            Self::NoRun(_) => ErrorKind::RunNotFound,
            Self::NoTask(_) => ErrorKind::TaskNotFound,
            Self::NoAttention(_) => ErrorKind::NotFound,
            Self::EmptyField { .. } | Self::BadCursor { .. } | Self::BadAnswer { .. } => {
                ErrorKind::InvalidParams
            }
            Self::Params { .. } | Self::BadTree { .. } | Self::NothingToDo { .. } => {
                ErrorKind::InvalidParams
            }
            Self::NoAgent { .. } | Self::NoPlan { .. } => ErrorKind::NoAgent,
            Self::UnknownAgent { .. } => ErrorKind::AgentNotFound,
            Self::Plan(_) => ErrorKind::Plan,
            Self::Busy(..) | Self::Changed(_) => ErrorKind::Conflict,
            Self::Policy { .. } | Self::Configuration { .. } => ErrorKind::Config,
            Self::Untrusted { .. } => ErrorKind::Untrusted,
            Self::RunLost(_) => ErrorKind::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Refused(error) => error.hint(),
            Self::Called(error) => error.data.hint.clone(),
            Self::Plan(error) => error.hint(),
            Self::Configuration { hint, .. } => hint.clone(),
            Self::NoRun(_) => Some("`orchflow runs list` shows those there are".into()),
            Self::NoTask(_) => Some("`orchflow task list` shows those there are".into()),
            Self::NoAttention(_) => Some("`orchflow attention` shows what waits".into()),
            Self::NoAgent { .. } => Some("`orchflow agents` shows how to add one".into()),
            Self::Untrusted { .. } => Some("`orchflow trust` shows it and grants".into()),
            Self::UnknownAgent { .. } => Some("`orchflow agents` lists them".into()),
            Self::Busy(_, run) => Some(format!("`orchflow runs cancel {run}` stops it")),
            Self::Changed(_) => {
                Some("look at it with `orchflow task tree`, and start it again".into())
            }
            Self::RunLost(run) => Some(format!(
                "`orchflow down`, then `orchflow run --resume {run}` goes on where it stood"
            )),
            _ => None,
        }
    }
}
