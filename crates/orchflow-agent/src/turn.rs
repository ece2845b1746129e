//! One turn: what an agent is told, how long it has, and what came of it.

use std::time::Duration;

use orchflow_types::plan::PlanTask;
use orchflow_types::project::ProjectCommand;
use orchflow_types::run::{Audit, Finding, GateResult};
use orchflow_types::{PaneId, Role, RunId, TaskId};

/// What an agent is asked to do, once.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The run it is part of.
    pub run_id: RunId,
    /// The leaf it works on.
    pub task_id: TaskId,
    /// The part it plays.
    pub role: Role,
    /// The idempotency key of its pane: the same key again goes on with the same pane.
    pub key: String,
    /// The worktree or checkout it works in, absolute.
    pub cwd: String,
    /// What the plan says of the leaf.
    pub plan: PlanTask,
    /// What the whole run was asked for.
    pub goal: String,
    /// Rounds of fixing before this turn.
    pub iteration: u32,
    /// What an auditor found and this turn should mend.
    pub findings: Vec<Finding>,
    /// The gates that are red and that this turn should make green.
    pub red_gates: Vec<GateResult>,
    /// The change to review, for an auditor.
    pub diff: Option<String>,
    /// How long it has.
    pub limits: Limits,
    /// What was done before by another agent that could not go on; for an architect, its
    /// answer that could not be read, and why.
    pub handoff: Option<String>,
    /// The project's own commands, for an architect.
    pub commands: Vec<ProjectCommand>,
    /// What the user wants every agent in this role to be told as well.
    pub extra: Option<String>,
}

/// How long a turn has; none is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// For the whole turn.
    pub turn: Option<Duration>,
    /// Without any output.
    pub idle: Option<Duration>,
}

/// The most bytes of an architect's answer; a longer one is a failure, since a plan that is
/// cut may read well and lack tasks.
pub const ANSWER_LIMIT: usize = 256 * 1024;

/// What came of a turn.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one of it per turn, and it is matched on")]
pub enum Outcome {
    /// It came to its end, and the agent holds it for done. Whether it is, gates prove.
    Done {
        /// The pane it ran in.
        pane: Option<PaneId>,
        /// What the agent said at its end, at most a few lines.
        summary: String,
        /// The result of the command, for a tool; green or red.
        gate: Option<GateResult>,
        /// The verdict, for an auditor.
        audit: Option<Audit>,
        /// All that it answered, for an architect; at most [`ANSWER_LIMIT`] bytes.
        answer: Option<String>,
        /// The agent's own name for the conversation, to go on with it.
        session: Option<String>,
        /// What it used, as far as it told.
        usage: Option<Usage>,
    },
    /// It did not.
    Failed {
        /// Whose doing.
        failure: Failure,
        /// Why, in one or two sentences for a person.
        reason: String,
        /// The pane it ran in, if it came to one.
        pane: Option<PaneId>,
    },
}

/// Whose doing a failed turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The agent's own: it gave up, crashed, met a limit of its model, spoke nonsense.
    Agent,
    /// It was too slow or too silent and was ended.
    TimedOut,
    /// It was called off and was ended.
    Cancelled,
    /// It was not permitted to start.
    Denied,
    /// The machine's: a program or a folder is missing, the manager is gone.
    Environment,
}

/// What a turn used, as its agent told it. Cost may be cumulative over resumed sessions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Tokens read by the model, those from a cache left out.
    pub input_tokens: u64,
    /// Tokens written by the model.
    pub output_tokens: u64,
    /// Tokens read from a cache.
    pub cached_tokens: u64,
    /// US dollars; none when the agent does not tell.
    pub cost_usd: Option<f64>,
}

impl Outcome {
    pub(crate) fn failed(
        failure: Failure,
        reason: impl Into<String>,
        pane: Option<PaneId>,
    ) -> Self {
        Self::Failed { failure, reason: reason.into(), pane }
    }
}
