//! The planner by rules: a goal in plain words becomes a plan of the project's own commands.
//!
//! A goal is split into clauses, and each is read by the router. Where every clause is
//! understood there is a leaf per command; where one is not, the whole goal is one leaf
//! for a coding agent. No command is ever made up.

mod clauses;
mod leaves;

use orchflow_types::plan::Plan;
use orchflow_types::project::Project;
use orchflow_types::{AgentType, ErrorKind, Explain};

use crate::router::{self, CONFIDENT, Reading, commands};
use leaves::Leaves;

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

    fn hint(&self) -> Option<String> {
        Some("say what should be done, or give the project the command it lacks".to_owned())
    }
}

/// Makes a plan of a goal.
///
/// # Errors
/// [`NothingToDo`] when the goal asks only for commands that the project does not have, or
/// says only what not to do.
pub fn plan(goal: &str, project: &Project) -> Result<Planned, NothingToDo> {
    let goal = goal.trim();
    if goal.is_empty() {
        return Err(NothingToDo { reason: "the goal is empty".to_owned() });
    }
    let mut leaves = Leaves::new(goal, project);
    let confidence = match steps(goal, project, &mut leaves) {
        Some(steps) if steps.is_empty() => {
            let reason = "the goal says only what not to do".to_owned();
            return Err(NothingToDo { reason });
        }
        Some(steps) => {
            for step in &steps {
                leaves.step(step);
            }
            steps.iter().map(|step| step.reading.confidence).fold(1.0, f64::min)
        }
        None => {
            let reading = router::read(goal, Some(project));
            leaves.whole(&reading);
            if reading.agent_type == AgentType::Dev { reading.confidence } else { 0.3 }
        }
    };
    let plan = leaves.finish()?;
    Ok(Planned { plan, confidence })
}

/// One clause, understood.
struct Step {
    clause: String,
    reading: Reading,
    /// Whether it waits for everything before it.
    waits: bool,
}

/// The steps of a goal; none when it is work for one coding agent as a whole.
fn steps(goal: &str, project: &Project, leaves: &mut Leaves<'_>) -> Option<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut unclear = false;
    for group in clauses::split(goal) {
        let mut waits = true;
        for clause in group {
            let reading = read(&clause, project);
            if reading.only_negated {
                leaves.note(format!("Left out, as asked: {clause}."));
                continue;
            }
            if let Some(last) = steps.last_mut().filter(|last| goes_on(last, &reading)) {
                // "Lint, and fix what it finds" is one thing to do.
                last.clause = format!("{}, {clause}", last.clause);
                last.reading = read(&format!("fix {}", last.clause), project);
                continue;
            }
            unclear |= !is_clear(&reading);
            if is_unknown(&reading) {
                return None;
            }
            let after_change = steps.last().is_some_and(|last| writes(&last.reading));
            steps.push(Step { clause, reading, waits: waits || after_change });
            waits = false;
        }
    }
    if unclear {
        let whole = read(goal, project);
        let one_tool = is_clear(&whole) && !whole.changes;
        return one_tool
            .then(|| vec![Step { clause: goal.to_owned(), reading: whole, waits: true }]);
    }
    // A change comes first and alone; one that follows a check is about its outcome.
    let changes = |step: &Step| step.reading.agent_type == AgentType::Dev;
    if steps.iter().skip(1).any(changes) || steps.len() == 1 && changes(&steps[0]) {
        return None;
    }
    Some(steps)
}

/// Reads a clause. Where no tool of the project mends, mending is a coding agent's work.
fn read(clause: &str, project: &Project) -> Reading {
    let mut reading = router::read(clause, Some(project));
    let tools = commands(project, reading.agent_type);
    if reading.mends
        && reading.agent_type == AgentType::Lint
        && !tools.is_empty()
        && tools.iter().all(|tool| tool.fix_argv.is_empty())
    {
        reading.agent_type = AgentType::Dev;
        reading.changes = true;
        reading.mends = false;
        reading.reason = "the project has no tool that mends this by itself".to_owned();
    }
    reading
}

fn is_clear(reading: &Reading) -> bool {
    match reading.agent_type {
        AgentType::Dev => reading.changes,
        AgentType::Repl => false,
        _ => reading.confidence >= CONFIDENT,
    }
}

/// Whether the clause speaks of things no rule knows; it may not be passed over.
fn is_unknown(reading: &Reading) -> bool {
    !is_clear(reading) && (reading.strange > 0 || reading.agent_type == AgentType::Repl)
}

/// Whether a clause only says to mend what the one before finds.
fn goes_on(last: &Step, reading: &Reading) -> bool {
    let tool = matches!(last.reading.agent_type, AgentType::Lint | AgentType::Format);
    tool && reading.agent_type == AgentType::Dev && reading.bare_mend
}

fn writes(reading: &Reading) -> bool {
    reading.mends || reading.agent_type == AgentType::Dev
}

#[cfg(test)]
mod tests;
