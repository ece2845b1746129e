//! Agents as configuration names them, and the ones that need no configuration.

use std::collections::BTreeMap;

use orchflow_types::AgentKind;
use serde::{Deserialize, Serialize};

use crate::Turn;

/// One agent: how it is started and what it may see of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// The name that plans and chains use.
    pub name: String,
    /// How it is driven.
    pub kind: AgentKind,
    /// The command line, split into words by the quoting rules of a shell; no shell runs
    /// it. `{prompt}`, `{task_id}`, `{worktree}` and `{role}` are filled in within words;
    /// a word that is `{files}` becomes a word per file. Empty is the kind's own program;
    /// for `claude-code`, a line without `{prompt}` names only the program, which then
    /// gets the usual options.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// Variables it gets on top of the scrubbed environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Names of variables that are let through to it, secrets among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass_env: Vec<String>,
    /// What it reads from and writes to.
    #[serde(default)]
    pub mode: Mode,
    /// What it prints, for the kind `command`.
    #[serde(default)]
    pub format: Format,
}

/// What an agent reads from and writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Output and errors in a pipe each, and no input.
    #[default]
    Pipes,
    /// A terminal.
    Tty,
}

/// What a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Plain text; the exit code says how it went.
    #[default]
    Text,
    /// JSON lines as `codex exec --json` prints them.
    Codex,
    /// JSON lines as `gemini -o stream-json` prints them.
    Gemini,
    /// JSON lines as `opencode run --format json` prints them.
    Opencode,
}

/// The command line of an agent cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the command of agent `{agent}` cannot be read: {problem}")]
pub struct BadTemplate {
    /// The agent.
    pub agent: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl AgentConfig {
    /// The agents known without configuration, in the order they are tried, then `tool`.
    #[must_use]
    pub fn built_in() -> Vec<Self> {
        let claude = Self {
            pass_env: names(&[
                "ANTHROPIC_API_KEY",
                "ANTHROPIC_AUTH_TOKEN",
                "CLAUDE_CODE_OAUTH_TOKEN",
            ]),
            ..Self::bare("claude", AgentKind::ClaudeCode)
        };
        let codex = Self {
            command: "codex exec --json {prompt}".to_owned(),
            pass_env: names(&["OPENAI_API_KEY", "CODEX_API_KEY"]),
            format: Format::Codex,
            ..Self::bare("codex", AgentKind::Command)
        };
        let gemini = Self {
            command: "gemini -p {prompt} -o stream-json --approval-mode auto_edit --skip-trust"
                .to_owned(),
            pass_env: names(&["GEMINI_API_KEY", "GOOGLE_API_KEY"]),
            format: Format::Gemini,
            ..Self::bare("gemini", AgentKind::Command)
        };
        let opencode = Self {
            command: "opencode run --format json {prompt}".to_owned(),
            pass_env: names(&["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENCODE_API_KEY"]),
            format: Format::Opencode,
            ..Self::bare("opencode", AgentKind::Command)
        };
        vec![claude, codex, gemini, opencode, Self::tool()]
    }

    /// The project's own tools.
    #[must_use]
    pub fn tool() -> Self {
        Self::bare("tool", AgentKind::Tool)
    }

    /// An agent of this kind with nothing else said.
    #[must_use]
    pub fn bare(name: &str, kind: AgentKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            command: String::new(),
            env: BTreeMap::new(),
            pass_env: Vec::new(),
            mode: Mode::Pipes,
            format: Format::Text,
        }
    }

    /// The words of the template, as written.
    ///
    /// # Errors
    /// When a quote is not closed, or when there are no words and the kind has no program
    /// of its own.
    pub fn words(&self) -> Result<Vec<String>, BadTemplate> {
        let bad = |problem| BadTemplate { agent: self.name.clone(), problem };
        let words = shlex::split(&self.command)
            .ok_or_else(|| bad("a quote or a backslash is not closed"))?;
        match (words.is_empty(), self.kind) {
            (false, _) | (true, AgentKind::Tool) => Ok(words),
            (true, AgentKind::ClaudeCode) => Ok(vec!["claude".to_owned()]),
            (true, AgentKind::Command) => Err(bad("it is empty")),
        }
    }

    /// The words with the turn filled in.
    ///
    /// # Errors
    /// As [`AgentConfig::words`].
    pub(crate) fn fill(&self, turn: &Turn, prompt: &str) -> Result<Vec<String>, BadTemplate> {
        let mut filled = Vec::new();
        for word in self.words()? {
            if word == "{files}" {
                filled.extend(turn.plan.files.iter().map(|file| as_path(file)));
            } else {
                filled.push(fill_word(&word, turn, prompt));
            }
        }
        Ok(filled)
    }

    /// The variables it gets: those configured, and those let through that are set.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let passed = self
            .pass_env
            .iter()
            .filter_map(|name| orchflow_runtime::env::var(name).map(|value| (name.clone(), value)));
        passed.chain(self.env.clone()).collect()
    }
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|&name| name.to_owned()).collect()
}

/// Fills one word in a single pass, so that what is filled in is never read as a template.
fn fill_word(word: &str, turn: &Turn, prompt: &str) -> String {
    let mut filled = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let files;
        let task_id;
        let (name, value) = if rest.starts_with("{prompt}") {
            ("{prompt}", prompt)
        } else if rest.starts_with("{worktree}") {
            ("{worktree}", turn.cwd.as_str())
        } else if rest.starts_with("{role}") {
            ("{role}", turn.role.as_str())
        } else if rest.starts_with("{task_id}") {
            task_id = turn.task_id.to_string();
            ("{task_id}", task_id.as_str())
        } else if rest.starts_with("{files}") {
            files = turn.plan.files.join(" ");
            ("{files}", files.as_str())
        } else {
            ("{", "{")
        };
        filled.push_str(value);
        rest = &rest[name.len()..];
    }
    filled.push_str(rest);
    filled
}

/// A file as a word that no program takes for an option.
fn as_path(file: &str) -> String {
    if file.starts_with('-') { format!("./{file}") } else { file.to_owned() }
}

#[cfg(test)]
mod tests;
