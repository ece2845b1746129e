//! Any command line as an agent: started by its template, read by what it prints.

use async_trait::async_trait;
use orchflow_protocol::pane::Output;
use orchflow_types::{AgentKind, Role};

use crate::pane_turn::{self, Ended, Job};
use crate::said::{Said, summary};
use crate::text::Tail;
use crate::{ANSWER_LIMIT, Adapter, AgentConfig, Cx, Failure, Outcome, Turn, audit, prompt};

/// Drives a command line.
pub(crate) struct Command {
    config: AgentConfig,
}

impl Command {
    pub(crate) const fn new(config: AgentConfig) -> Self {
        Self { config }
    }
}

#[async_trait]
impl Adapter for Command {
    fn kind(&self) -> AgentKind {
        AgentKind::Command
    }

    async fn turn(&self, cx: &Cx, turn: &Turn) -> Outcome {
        let prompt = prompt::render(turn);
        let filled = self.config.fill(turn, &prompt);
        let (argv, template) = match filled.and_then(|argv| Ok((argv, self.config.words()?))) {
            Ok(words) => words,
            Err(bad) => return Outcome::failed(Failure::Environment, bad.to_string(), None),
        };
        let job = Job::new(&self.config, argv, template, turn.cwd.clone());
        let mut said = Said::new(self.config.format);
        let mut tail = Tail::default();
        let mut keep = |of, line: &str| {
            tail.push(line);
            if of == Output::Output {
                said.line(line);
            }
        };
        match pane_turn::run(cx, turn, job, &mut keep).await {
            Ok(ended) => judge(&self.config.name, turn, &prompt, &ended, said, &tail),
            Err(broken) => broken.into(),
        }
    }
}

fn judge(
    agent: &str,
    turn: &Turn,
    prompt: &str,
    ended: &Ended,
    said: Said,
    tail: &Tail,
) -> Outcome {
    let failed = |reason: String| Outcome::failed(Failure::Agent, reason, Some(ended.pane));
    if let Some(error) = &said.error {
        return failed(format!("`{agent}` failed: {error}"));
    }
    if ended.code != 0 {
        let last = tail.last_line().unwrap_or("it printed nothing");
        return failed(format!("`{agent}` {}: {last}", ended.how()));
    }
    if !said.complete {
        return failed(format!("`{agent}` ended without telling how its turn ended"));
    }
    let mut audit = None;
    if turn.role == Role::Auditor {
        // An agent that repeats its prompt has not thereby answered with what the diff says.
        let answer = said.text.replace(prompt, "");
        let cut = if said.cut { Err(audit::Unreadable::TooLong) } else { Ok(()) };
        match cut.and_then(|()| audit::read(&answer)) {
            Ok(read) => audit = Some(read),
            Err(unreadable) => return failed(format!("`{agent}`: {unreadable}")),
        }
    }
    let mut answer = None;
    if turn.role == Role::Architect {
        // As above: the prompt shows a plan, and that is not the answer.
        let text = said.text.replace(prompt, "");
        if said.cut || text.len() > ANSWER_LIMIT {
            return failed(format!("`{agent}`: its answer is too long for a plan"));
        }
        answer = Some(text);
    }
    Outcome::Done {
        pane: Some(ended.pane),
        summary: summary(&said.text),
        gate: None,
        audit,
        answer,
        session: said.session,
        usage: said.usage,
    }
}
