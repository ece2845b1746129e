//! The router by rules: plain words to a type of work, a command and a confidence.
//!
//! Words have weights by type of work; the verb that leads decides whether they are asked
//! for ("run the tests") or are what a change is about ("fix the failing test"). Words
//! behind a negation and names in quotes decide nothing.

mod reading;
mod subject;
mod words;

use orchflow_protocol::agent::RouteResult;
use orchflow_types::AgentType;
use orchflow_types::project::{Project, ProjectCommand};

pub(crate) use reading::{Reading, read};
pub(crate) use subject::filtered;

/// From here on a reading is taken at its word.
pub const CONFIDENT: f64 = 0.6;

/// Says what kind of work the words ask for, and the command of the project that does it.
/// Takes well under a millisecond.
#[must_use]
pub fn route(input: &str, project: Option<&Project>) -> RouteResult {
    let reading = read(input, project);
    let mut reason = reading.reason.clone();
    let mut suggested_command = None;
    if let (Some(_), AgentType::Repl, Some(line)) =
        (project, reading.agent_type, &reading.quoted_command)
    {
        suggested_command = Some(line.clone());
    } else if let Some(project) = project
        && !matches!(reading.agent_type, AgentType::Dev | AgentType::Repl)
    {
        let best = commands(project, reading.agent_type).into_iter().next();
        match best.map(|command| (command, argv(command, &reading))) {
            Some((command, (argv, how))) => {
                suggested_command = line(&argv, &command.dir);
                reason = format!("{reason}; command: {}{how}", command.reason);
            }
            None => reason = format!("{reason}; the project has no {} command", reading.agent_type),
        }
    }
    RouteResult {
        agent_type: reading.agent_type,
        suggested_command,
        confidence: (reading.confidence * 100.0).round() / 100.0,
        reason,
    }
}

/// The commands a project has for a purpose: best first, one per folder and program, and
/// one that cannot be run here only where no other is.
pub(crate) fn commands(project: &Project, purpose: AgentType) -> Vec<&ProjectCommand> {
    let mut chosen: Vec<&ProjectCommand> = Vec::new();
    let of_purpose = || project.commands.iter().filter(|command| command.purpose == purpose);
    for command in of_purpose().filter(|command| command.available) {
        let same = |other: &&ProjectCommand| {
            other.dir == command.dir && other.argv.first() == command.argv.first()
        };
        if !chosen.iter().any(same) {
            chosen.push(command);
        }
    }
    for command in of_purpose().filter(|command| !command.available) {
        if !chosen.iter().any(|other| other.dir == command.dir) {
            chosen.push(command);
        }
    }
    chosen
}

/// The words that do what the reading asks of a command, and what was done to them.
pub(crate) fn argv(command: &ProjectCommand, reading: &Reading) -> (Vec<String>, String) {
    if reading.mends && !command.fix_argv.is_empty() {
        return (command.fix_argv.clone(), ", in its form that mends".to_owned());
    }
    match &reading.subject {
        Some(subject) if reading.agent_type == AgentType::Test => filtered(command, subject),
        _ => (command.argv.clone(), String::new()),
    }
}

fn line(argv: &[String], dir: &str) -> Option<String> {
    let line = shlex::try_join(argv.iter().map(String::as_str)).ok()?;
    if dir.is_empty() {
        return Some(line);
    }
    Some(format!("cd {} && {line}", shlex::try_quote(dir).ok()?))
}

#[cfg(test)]
mod tests;
