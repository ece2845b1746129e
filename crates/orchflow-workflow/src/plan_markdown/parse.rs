//! Reading a plan, line by line. Whether its tasks fit together is asked in `check`.

use orchflow_types::AgentType;
use orchflow_types::plan::{Plan, PlanTask};

use super::{Line, PlanError, RunLine, SETTINGS, words};

/// Where the things of a task were said, from 1.
#[derive(Debug)]
pub(super) struct TaskLines {
    pub(super) heading: usize,
    /// The line of its `depends`, if it has one.
    pub(super) depends: usize,
}

/// What a text is: the plan, where each of its tasks stands, and whose plan it says it is.
pub(super) struct Parsed {
    pub(super) plan: Plan,
    pub(super) places: Vec<TaskLines>,
    pub(super) run: Option<RunLine>,
}

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Parsed, PlanError> {
    let mut lines = text.lines().enumerate().map(|(place, line)| (place + 1, Line::of(line)));
    let mut plan = Plan::new(goal(&mut lines)?, Vec::new());
    let mut places = Vec::new();
    let mut task: Option<Draft> = None;
    let mut head = Head::default();
    for (at, line) in lines {
        match (line, &mut task) {
            (Line::Task(heading), _) => {
                let before = task.replace(Draft::new(at, heading)?);
                finish(before, &mut plan, &mut places);
            }
            (line, Some(task)) => task.read(at, line)?,
            (line, None) => head.read(at, line)?,
        }
    }
    finish(task, &mut plan, &mut places);
    let run = head.give(&mut plan);
    Ok(Parsed { plan, places, run })
}

/// The lines without the blank ones before and after.
pub(super) fn without_blank_edges(mut lines: Vec<&str>) -> Vec<&str> {
    let blank = |line: &&str| line.trim().is_empty();
    while lines.last().is_some_and(blank) {
        lines.pop();
    }
    let first = lines.iter().position(|line| !blank(line)).unwrap_or(lines.len());
    lines.split_off(first)
}

fn goal<'a>(lines: &mut impl Iterator<Item = (usize, Line<'a>)>) -> Result<String, PlanError> {
    let mut lines =
        lines.skip_while(|(_, line)| matches!(line, Line::Text(t) if t.trim().is_empty()));
    let (at, line) = lines.next().unwrap_or((1, Line::Text("")));
    match line {
        Line::Goal(heading) if heading.starts_with("Plan:") => {
            Ok(heading["Plan:".len()..].trim().to_owned())
        }
        _ => Err(PlanError::new(at, "a plan begins with its goal: write `# Plan: GOAL` here")),
    }
}

fn finish(task: Option<Draft<'_>>, plan: &mut Plan, places: &mut Vec<TaskLines>) {
    if let Some(draft) = task {
        let (task, lines) = draft.finish();
        plan.tasks.push(task);
        places.push(lines);
    }
}

/// What stands between the goal and the first task.
#[derive(Default)]
struct Head<'a> {
    goal: Vec<&'a str>,
    notes: Vec<Vec<&'a str>>,
    note_is_open: bool,
    run: Option<RunLine>,
}

impl<'a> Head<'a> {
    fn read(&mut self, at: usize, line: Line<'a>) -> Result<(), PlanError> {
        let is_note = matches!(line, Line::Note(text) if !text.is_empty());
        match line {
            Line::Note("") => {}
            Line::Note(text) => match self.notes.last_mut() {
                Some(note) if self.note_is_open => note.push(text),
                _ => self.notes.push(vec![text]),
            },
            Line::Text(text) if text.trim().is_empty() || self.notes.is_empty() => {
                self.goal.push(text);
            }
            Line::Text(_) => {
                return Err(PlanError::new(at, "text after the notes: begin it with `> ` too"));
            }
            Line::Setting("run", id) => self.name(at, id)?,
            _ => {
                let reason = "this belongs to a task: write its heading, `## key: title`, above";
                return Err(PlanError::new(at, reason));
            }
        }
        self.note_is_open = is_note;
        Ok(())
    }

    fn name(&mut self, at: usize, id: &str) -> Result<(), PlanError> {
        if self.run.is_some() {
            return Err(PlanError::new(at, "`run` is said twice: leave one"));
        }
        let run_id = id.parse().map_err(|error| {
            let reason = format!("{error}; write the run the plan is of, or take the line away");
            PlanError::new(at, reason)
        })?;
        self.run = Some(RunLine { at, run_id });
        Ok(())
    }

    /// Gives what stood there to the plan, and answers the run that was named.
    fn give(self, plan: &mut Plan) -> Option<RunLine> {
        for line in self.goal {
            plan.goal.push('\n');
            plan.goal.push_str(line);
        }
        plan.goal = plan.goal.trim().to_owned();
        plan.notes = self.notes.into_iter().map(|note| note.join("\n")).collect();
        self.run
    }
}

/// A task while its lines are read.
struct Draft<'a> {
    task: PlanTask,
    lines: TaskLines,
    description: Vec<&'a str>,
    /// The settings it has so far.
    seen: Vec<&'a str>,
}

impl<'a> Draft<'a> {
    fn new(at: usize, heading: &str) -> Result<Self, PlanError> {
        let Some((key, title)) = heading.split_once(':') else {
            let reason =
                "a task's heading is `## key: title`, such as `## run-tests: Run the tests`";
            return Err(PlanError::new(at, reason));
        };
        let key = key.trim();
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if key.is_empty() || !key.bytes().all(word) {
            let reason = format!("`{key}` is not a key: write lower-case words with hyphens");
            return Err(PlanError::new(at, reason));
        }
        let task = PlanTask::new(key, title.trim());
        let lines = TaskLines { heading: at, depends: at };
        Ok(Self { task, lines, description: Vec::new(), seen: Vec::new() })
    }

    fn read(&mut self, at: usize, line: Line<'a>) -> Result<(), PlanError> {
        match line {
            Line::Text(text) if text.trim().is_empty() => self.description.push(text),
            Line::Text(text) if self.seen.is_empty() && self.task.files.is_empty() => {
                self.description.push(text);
            }
            Line::Text(_) => {
                let reason = "text after files or settings: put it above them, below the heading";
                return Err(PlanError::new(at, reason));
            }
            Line::File("") => {
                return Err(PlanError::new(at, "a file is missing: `- path/to/file`"));
            }
            Line::File(path) => self.task.files.push(path.to_owned()),
            Line::Setting(key, value) => self.set(at, key, value)?,
            Line::Goal(_) | Line::Note(_) | Line::Task(_) => {
                let reason = "goal and notes stand above the tasks; if this is text, begin the \
                              line with a backslash";
                return Err(PlanError::new(at, reason));
            }
        }
        Ok(())
    }

    fn set(&mut self, at: usize, key: &'a str, value: &str) -> Result<(), PlanError> {
        if !SETTINGS.contains(&key) {
            let reason = format!(
                "no setting is called `{key}`: there are {}; if this is text, begin the line \
                 with a backslash",
                SETTINGS.join(", ")
            );
            return Err(PlanError::new(at, reason));
        }
        if self.seen.contains(&key) {
            return Err(PlanError::new(at, format!("`{key}` is said twice: leave one")));
        }
        if value.is_empty() {
            let reason = format!("`{key}` has no value: write one, or take the line away");
            return Err(PlanError::new(at, reason));
        }
        self.seen.push(key);
        let task = &mut self.task;
        match key {
            "type" => task.agent_type = agent_type(at, value)?,
            "writes" => task.writes = yes_or_no(at, value)?,
            "agent" => task.agent = Some(value.to_owned()),
            "depends" => {
                task.depends = keys(at, value)?;
                self.lines.depends = at;
            }
            "command" => {
                task.command = words::parse(value).map_err(|reason| PlanError::new(at, reason))?;
            }
            "dir" => value.clone_into(&mut task.dir),
            _ => value.clone_into(&mut task.reason),
        }
        Ok(())
    }

    fn finish(mut self) -> (PlanTask, TaskLines) {
        self.task.description = without_blank_edges(self.description).join("\n");
        if !self.seen.contains(&"writes") {
            self.task.writes = matches!(self.task.agent_type, AgentType::Dev | AgentType::Format);
        }
        (self.task, self.lines)
    }
}

fn agent_type(at: usize, value: &str) -> Result<AgentType, PlanError> {
    use AgentType::{Build, Dev, Format, Lint, Repl, Test};
    let all = [Dev, Test, Build, Lint, Format, Repl];
    all.into_iter().find(|one| one.as_str() == value).ok_or_else(|| {
        let names = all.map(AgentType::as_str).join(", ");
        PlanError::new(at, format!("no type of work is called `{value}`: there are {names}"))
    })
}

fn yes_or_no(at: usize, value: &str) -> Result<bool, PlanError> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(PlanError::new(at, format!("`writes` is yes or no, not `{value}`"))),
    }
}

fn keys(at: usize, value: &str) -> Result<Vec<String>, PlanError> {
    let keys: Vec<String> = value.split(',').map(|key| key.trim().to_owned()).collect();
    if keys.iter().any(String::is_empty) {
        return Err(PlanError::new(at, "`depends` is a list of keys: `depends: one, two`"));
    }
    Ok(keys)
}
