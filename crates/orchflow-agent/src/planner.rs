//! The planner by rules: a goal in plain words becomes a plan of the project's own commands.

use orchflow_types::plan::Plan;
use orchflow_types::project::Project;
use orchflow_types::{ErrorKind, Explain};

/// A plan, and how sure the rules are of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The plan; it has at least one task.
    pub plan: Plan,
    /// 0 to 1.
    pub confidence: f64,
}

/// Nothing in the project answers what the goal asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing to do: {reason}")]
pub struct NothingToDo {
    /// What was looked for and not found.
    pub reason: String,
}

impl Explain for NothingToDo {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFound
    }
}

/// Makes a plan of a goal.
///
/// # Errors
/// [`NothingToDo`] when the goal asks only for commands that the project does not have.
pub fn plan(goal: &str, project: &Project) -> Result<Planned, NothingToDo> {
    let _ = project;
    Err(NothingToDo { reason: goal.to_owned() })
}
