//! Leaves made of steps: keys, titles, commands, what waits for what, and what to say.

use orchflow_types::AgentType;
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::project::{Project, ProjectCommand};

use super::{NothingToDo, Step};
use crate::router::{Reading, argv, commands};
use crate::text::clip;

/// The leaves of one goal, as they come to be.
pub(super) struct Leaves<'a> {
    project: &'a Project,
    plan: Plan,
    /// What the leaves of the group under way wait for.
    before: Vec<String>,
    missing: Vec<AgentType>,
}

impl<'a> Leaves<'a> {
    pub(super) fn new(goal: &str, project: &'a Project) -> Self {
        let plan = Plan::new(goal, Vec::new());
        Self { project, plan, before: Vec::new(), missing: Vec::new() }
    }

    pub(super) fn note(&mut self, note: String) {
        if !self.plan.notes.contains(&note) {
            self.plan.notes.push(note);
        }
    }

    /// Adds the leaves of a step: one per command that does it.
    pub(super) fn step(&mut self, step: &Step) {
        if step.waits {
            self.before = self.plan.tasks.iter().map(|task| task.key.clone()).collect();
        }
        let purpose = step.reading.agent_type;
        if purpose == AgentType::Dev {
            return self.change(&step.clause, &step.reading);
        }
        let project = self.project;
        let mut chosen = commands(project, purpose);
        if step.reading.mends && chosen.iter().any(|command| !command.fix_argv.is_empty()) {
            let (mends, looks): (Vec<_>, Vec<_>) =
                chosen.into_iter().partition(|command| !command.fix_argv.is_empty());
            for command in looks {
                self.note(format!(
                    "`{}` mends nothing by itself, so it is left out.",
                    command.argv.join(" ")
                ));
            }
            chosen = mends;
        }
        if chosen.is_empty() {
            self.missing.push(purpose);
            self.note(format!("Left out: {}. {}", step.clause, self.lacks(purpose)));
        }
        for command in chosen {
            self.tool(&step.reading, command);
        }
    }

    /// Makes the whole goal one leaf for a coding agent.
    pub(super) fn whole(&mut self, reading: &Reading) {
        let goal = self.plan.goal.clone();
        self.change(&goal, reading);
    }

    /// The plan; an error when nothing is left to do.
    pub(super) fn finish(self) -> Result<Plan, NothingToDo> {
        if self.plan.tasks.is_empty() {
            let lacks: Vec<String> = self.missing.iter().map(|one| self.lacks(*one)).collect();
            let reason = lacks.join(" ");
            return Err(NothingToDo { reason: reason.trim_end_matches('.').to_owned() });
        }
        Ok(self.plan)
    }

    fn lacks(&self, purpose: AgentType) -> String {
        let (root, kinds) = (&self.project.root, self.project.ecosystems.join(", "));
        if kinds.is_empty() {
            format!("No {purpose} command was found: {root} is no cargo, npm or Python project.")
        } else {
            format!("No {purpose} command was found in {root} ({kinds}).")
        }
    }

    fn tool(&mut self, reading: &Reading, command: &ProjectCommand) {
        let (argv, how) = argv(command, reading);
        if self.plan.tasks.iter().any(|task| {
            task.command == argv && task.dir == command.dir && task.depends == self.before
        }) {
            return;
        }
        let line = argv.join(" ");
        let mends = reading.mends && argv == command.fix_argv;
        let formats = command.purpose == AgentType::Format;
        let writes = mends || formats && !only_looks(&argv);
        if formats && reading.mends && !writes {
            self.note(format!("`{line}` only checks; the project has no command that formats."));
        }
        if !command.available {
            let install = command.install.as_ref().map(|how| format!(" Install it with `{how}`."));
            let program = program(&argv);
            self.note(format!("`{program}` is not installed.{}", install.unwrap_or_default()));
        }
        let name = if mends && !formats {
            format!("fix-{}", command.purpose)
        } else {
            command.purpose.to_string()
        };
        let key = self.key(&name, &command.dir);
        self.plan.tasks.push(PlanTask {
            agent_type: command.purpose,
            command: argv,
            dir: command.dir.clone(),
            writes,
            depends: self.before.clone(),
            reason: format!("{}; {}{how}", reading.reason, command.reason),
            ..PlanTask::new(key, title(reading, command, writes))
        });
    }

    fn change(&mut self, description: &str, reading: &Reading) {
        let key = self.key(&slug(description), "");
        let title = one_line(description);
        // A title that says all of it is not said twice.
        let more = if title == description.trim() { "" } else { description };
        self.plan.tasks.push(PlanTask {
            description: more.to_owned(),
            depends: self.before.clone(),
            reason: if reading.agent_type == AgentType::Dev {
                reading.reason.clone()
            } else {
                "not every part of it is a command of the project, so it is one task".to_owned()
            },
            ..PlanTask::new(key, title)
        });
    }

    /// A key that no other leaf has.
    fn key(&self, name: &str, dir: &str) -> String {
        let base = if dir.is_empty() { name.to_owned() } else { format!("{name}-{}", slug(dir)) };
        let taken = |key: &String| self.plan.tasks.iter().any(|task| task.key == *key);
        std::iter::once(base.clone())
            .chain((2_u32..).map(|n| format!("{base}-{n}")))
            .find(|key| !taken(key))
            .unwrap_or(base)
    }
}

/// The program a person would have to install: a module that Python runs is one.
fn program(argv: &[String]) -> &str {
    let module = argv.windows(2).find(|pair| pair[0] == "-m").map(|pair| pair[1].as_str());
    module.or_else(|| argv.first().map(String::as_str)).unwrap_or_default()
}

/// Whether a formatter was told to change nothing.
fn only_looks(argv: &[String]) -> bool {
    argv.iter().any(|word| {
        let word = word.as_str();
        matches!(word, "--check" | "--check-only" | "--list-different" | "-l" | "--diff" | "check")
            || word.ends_with(":check")
            || word.ends_with("-check")
    })
}

fn title(reading: &Reading, command: &ProjectCommand, writes: bool) -> String {
    let what = match (command.purpose, writes) {
        (AgentType::Test, _) => "Run the tests",
        (AgentType::Build, _) => "Build the project",
        (AgentType::Lint, false) => "Lint the sources",
        (AgentType::Lint, true) => "Mend what the linter finds",
        (AgentType::Format, false) => "Check the format of the sources",
        (AgentType::Format, true) => "Format the sources",
        (AgentType::Dev | AgentType::Repl, _) => "Run the command",
    };
    let mut title = what.to_owned();
    if let Some(subject) = reading.subject.as_ref().filter(|_| command.purpose == AgentType::Test) {
        title = format!("{title} for {}", subject.written);
    }
    if command.dir.is_empty() { title } else { format!("{title} in {}", command.dir) }
}

fn one_line(text: &str) -> String {
    const LIMIT: usize = 72;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("Change");
    if line.len() <= LIMIT {
        line.to_owned()
    } else {
        format!("{}…", clip(line, LIMIT).trim_end())
    }
}

/// A few words of the text as a key: lower case, with hyphens.
fn slug(text: &str) -> String {
    const WORDS: usize = 5;
    const LIMIT: usize = 40;
    let skipped = ["a", "an", "the", "please", "to", "and", "of"];
    let words: Vec<String> = text
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .map(str::to_ascii_lowercase)
        .filter(|word| !word.is_empty() && !skipped.contains(&word.as_str()))
        .take(WORDS)
        .collect();
    let joined = words.join("-");
    let cut = clip(&joined, LIMIT).trim_end_matches('-').to_owned();
    if cut.is_empty() { "change".to_owned() } else { cut }
}
