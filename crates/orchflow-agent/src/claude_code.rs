//! Claude Code, one shot: its stream of JSON lines is read and its result judged.

mod stream;

use async_trait::async_trait;
use orchflow_protocol::pane::Output;
use orchflow_types::{AgentKind, Role};

use crate::pane_turn::{self, Ended, Job};
use crate::said::summary;
use crate::text::Tail;
use crate::{
    ANSWER_LIMIT, Adapter, AgentConfig, BadTemplate, Cx, Failure, Outcome, Turn, audit, prompt,
};
use stream::{Ending, Reader};

/// Drives Claude Code.
pub(crate) struct ClaudeCode {
    config: AgentConfig,
}

impl ClaudeCode {
    pub(crate) const fn new(config: AgentConfig) -> Self {
        Self { config }
    }

    /// A template with `{prompt}` is the whole line; any other names only the program.
    fn argv(&self, turn: &Turn, prompt: &str) -> Result<Vec<String>, BadTemplate> {
        let mut argv = self.config.fill(turn, prompt)?;
        if self.config.command.contains("{prompt}") {
            return Ok(argv);
        }
        // Who only looks changes nothing; in this mode Claude denies itself edits.
        let looks = matches!(turn.role, Role::Auditor | Role::Architect);
        let mode = if looks { "default" } else { "acceptEdits" };
        let options = [
            "-p",
            prompt,
            "--output-format",
            "stream-json",
            "--verbose",
            "--permission-mode",
            mode,
        ];
        argv.extend(options.map(str::to_owned));
        Ok(argv)
    }
}

#[async_trait]
impl Adapter for ClaudeCode {
    fn kind(&self) -> AgentKind {
        AgentKind::ClaudeCode
    }

    async fn turn(&self, cx: &Cx, turn: &Turn) -> Outcome {
        let argv = self.argv(turn, &prompt::render(turn));
        let (argv, template) = match argv.and_then(|argv| Ok((argv, self.config.words()?))) {
            Ok(words) => words,
            Err(bad) => return Outcome::failed(Failure::Environment, bad.to_string(), None),
        };
        let job = Job::new(&self.config, argv, template, turn.cwd.clone());
        let mut reader = Reader::default();
        let mut tail = Tail::default();
        let mut keep = |of, line: &str| {
            // Its own events are no words for a person; what else it prints may be.
            if of != Output::Output || !reader.line(line) {
                tail.push(line);
            }
        };
        match pane_turn::run(cx, turn, job, &mut keep).await {
            Ok(ended) => judge(&self.config.name, turn, &ended, reader, &tail),
            Err(broken) => broken.into(),
        }
    }
}

fn judge(agent: &str, turn: &Turn, ended: &Ended, reader: Reader, tail: &Tail) -> Outcome {
    let failed =
        |why: String| Outcome::failed(Failure::Agent, format!("`{agent}` {why}"), Some(ended.pane));
    let Some(result) = reader.result else {
        let last = tail.last_line().unwrap_or("it printed nothing else");
        let held = reader.retry.map(|retry| format!(" ({retry})")).unwrap_or_default();
        return failed(format!("{} without a result{held}: {last}", ended.how()));
    };
    if let Some(why) = result.failure() {
        return failed(why);
    }
    if ended.code != 0 {
        return failed(format!("told of success, but {}", ended.how()));
    }
    let mut audit = None;
    if turn.role == Role::Auditor {
        match audit::read(&result.text) {
            Ok(read) => audit = Some(read),
            Err(unreadable) => return failed(format!("was asked for an audit, but {unreadable}")),
        }
    }
    let is_plan = turn.role == Role::Architect;
    if is_plan && result.text.len() > ANSWER_LIMIT {
        return failed("gave an answer that is too long for a plan".to_owned());
    }
    Outcome::Done {
        pane: Some(ended.pane),
        summary: with_denials(&result, &reader.denied),
        gate: None,
        audit,
        answer: is_plan.then_some(result.text),
        session: reader.session,
        usage: Some(result.usage),
    }
}

fn with_denials(result: &Ending, denied: &[String]) -> String {
    let said = summary(&result.text);
    let mut all: Vec<&str> = Vec::new();
    for tool in denied.iter().chain(&result.denied) {
        if !all.contains(&tool.as_str()) {
            all.push(tool);
        }
    }
    if all.is_empty() { said } else { format!("{said}\nwas denied: {}", all.join(", ")) }
}
