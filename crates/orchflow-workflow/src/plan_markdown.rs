//! The plan as Markdown: `.orchflow/plan.md`, a copy of the plan for a person to edit.
//!
//! ```text
//! # Plan: Make the login page faster
//! run: run_0193e4c2d1f07cc3a1b2c3d4e5f60718
//!
//! > The tests of the old page are left as they are.
//!
//! ## cache-users: Cache the users
//!
//! What the agent should know, in as many paragraphs as it takes.
//!
//! - src/users.rs
//! - src/cache.rs
//!
//! type: dev
//! writes: yes
//! agent: claude
//! depends: run-tests, read-code
//! reason: The page asks for the same users again and again.
//! ```
//!
//! - The goal may go on below its heading. A quote holds the notes; an empty quote line
//!   (`>`) parts one note from the next. Above the tasks `run` names the run that the plan
//!   is of; it is for no other then.
//! - In a task the description comes first, then files and settings in any order.
//!   Settings are `type` (dev, test, build, lint, format, repl; dev when it is missing),
//!   `writes` (yes or no; when missing, yes for dev and format), `agent`, `depends`,
//!   `command`, `dir` and `reason`, each at most once.
//! - A `command` is words as a shell would take them, or a JSON array of them. No shell
//!   reads it, so an unquoted `|` or `$` is refused.
//! - A line of text that would be read as something else begins with a backslash, which
//!   is taken off.
//!
//! Line ends within titles, paths and settings are printed as spaces, and empty lines
//! within a note are dropped; all else comes back as it was.

use orchflow_types::plan::Plan;
use orchflow_types::{ErrorKind, Explain, RunId};

mod check;
mod parse;
mod print;
mod words;

/// Where a plan cannot be read, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct PlanError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it and what would be right.
    pub reason: String,
}

impl PlanError {
    fn new(line: usize, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
}

impl Explain for PlanError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Plan
    }

    fn hint(&self) -> Option<String> {
        Some(format!("mend line {} of `.orchflow/plan.md`", self.line))
    }
}

/// The plan as Markdown.
#[must_use]
pub fn print(plan: &Plan) -> String {
    print::print(plan, None)
}

/// The same with the run it is the plan of, for which alone it can be approved.
#[must_use]
pub fn print_for(run: RunId, plan: &Plan) -> String {
    print::print(plan, Some(run))
}

/// The plan a Markdown text is, whichever run it names.
///
/// # Errors
/// [`PlanError`] names the first line that cannot be read, or that names a task which is
/// not there, is there twice, or waits for itself.
pub fn parse(text: &str) -> Result<Plan, PlanError> {
    read(text).map(|document| document.plan)
}

/// All that a Markdown text says.
///
/// # Errors
/// As [`parse()`].
pub fn read(text: &str) -> Result<Document, PlanError> {
    let parse::Parsed { plan, places, run } = parse::parse(text)?;
    check::check(&plan, &places)?;
    Ok(Document { plan, run })
}

/// A plan, and the run its text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The plan.
    pub plan: Plan,
    run: Option<RunLine>,
}

/// The line that names a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RunLine {
    at: usize,
    run_id: RunId,
}

impl Document {
    /// The run it is the plan of; none when it does not say.
    #[must_use]
    pub fn run(&self) -> Option<RunId> {
        self.run.map(|line| line.run_id)
    }

    /// The plan, when it is this run's or does not say whose it is.
    ///
    /// # Errors
    /// When it is the plan of another run.
    pub fn of(self, run: RunId) -> Result<Plan, PlanError> {
        match self.run {
            Some(RunLine { at, run_id }) if run_id != run => {
                let reason = format!(
                    "this is the plan of {run_id}, and {run} is what waits here: approve that \
                     one, or take this line away to use the plan for {run}"
                );
                Err(PlanError::new(at, reason))
            }
            _ => Ok(self.plan),
        }
    }
}

/// The names of settings.
const SETTINGS: [&str; 7] = ["type", "writes", "agent", "depends", "command", "dir", "reason"];

/// What a line is by its beginning; the printer escapes what the parser would misread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Goal(&'a str),
    Task(&'a str),
    Note(&'a str),
    File(&'a str),
    Setting(&'a str, &'a str),
    Text(&'a str),
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        if let Some(text) = line.strip_prefix('\\') {
            return Self::Text(text);
        }
        let heading = |mark| line.strip_prefix(mark).filter(|rest: &&str| starts_apart(rest));
        if let Some(rest) = heading("##") {
            Self::Task(rest.trim())
        } else if let Some(rest) = heading("#") {
            Self::Goal(rest.trim())
        } else if let Some(rest) = line.strip_prefix('>') {
            Self::Note(rest.trim())
        } else if let Some(rest) = heading("-") {
            Self::File(rest.trim())
        } else if let Some((key, value)) = setting(line) {
            Self::Setting(key, value.trim())
        } else {
            Self::Text(line)
        }
    }
}

fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    (is_key && starts_apart(value)).then_some((key, value))
}

fn starts_apart(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([' ', '\t'])
}

#[cfg(test)]
mod tests;
