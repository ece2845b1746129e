//! Which agents are on this machine: looked up on `PATH`, asked for their version.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use orchflow_runtime::env::find_program;
use orchflow_runtime::process::{Spec, output};
use orchflow_runtime::{Supervisor, TaskKind};
use orchflow_types::AgentKind;
use orchflow_types::agent::FoundAgent;

use crate::AgentConfig;

/// How long a program may take to tell its version.
const VERSION_LIMIT: Duration = Duration::from_secs(3);

/// Looks for every agent of `configs` and asks those that are there for their version, all
/// at once. The answer has the order of `configs`.
pub async fn discover(configs: &[AgentConfig]) -> Vec<FoundAgent> {
    let supervisor = Supervisor::new();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(configs.len().max(1));
    for (at, config) in configs.iter().cloned().enumerate() {
        let sender = sender.clone();
        supervisor.spawn(TaskKind::Request, "discover", async move {
            sender.send((at, look(&config).await)).await
        });
    }
    drop(sender);
    let mut found = Vec::with_capacity(configs.len());
    while let Some(one) = receiver.recv().await {
        found.push(one);
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, agent)| agent).collect()
}

/// Whether the agent's program is there; looks at `PATH` only.
#[must_use]
pub fn present(config: &AgentConfig) -> bool {
    config.kind == AgentKind::Tool
        || program(config).is_ok_and(|name| find_program(&name).is_some())
}

/// The command that installs the program of a known agent.
#[must_use]
pub fn install(program: &str) -> Option<&'static str> {
    Some(match program {
        "claude" => "npm install -g @anthropic-ai/claude-code",
        "codex" => "npm install -g @openai/codex",
        "gemini" => "npm install -g @google/gemini-cli",
        "opencode" => "npm install -g opencode-ai",
        "qwen" => "npm install -g @qwen-code/qwen-code",
        "copilot" => "npm install -g @github/copilot",
        "aider" => "pipx install aider-chat",
        _ => return None,
    })
}

fn program(config: &AgentConfig) -> Result<String, String> {
    let words = config.words().map_err(|bad| bad.to_string())?;
    words.into_iter().next().ok_or_else(|| "its command is empty".to_owned())
}

async fn look(config: &AgentConfig) -> FoundAgent {
    let mut found = FoundAgent {
        name: config.name.clone(),
        kind: config.kind,
        available: false,
        version: None,
        program: None,
        install: None,
        note: None,
    };
    if config.kind == AgentKind::Tool {
        found.available = true;
        found.note = Some("runs the project's own build, test, lint and format commands".into());
        return found;
    }
    let name = match program(config) {
        Ok(name) => name,
        Err(problem) => {
            found.note = Some(problem);
            return found;
        }
    };
    let Some(path) = find_program(&name) else {
        found.install = install(&name).map(str::to_owned);
        found.note = Some(format!("the program `{name}` was not found"));
        return found;
    };
    found.available = true;
    found.program = Some(path.display().to_string());
    if !can_be_asked(config, &path) {
        return found;
    }
    match version(&path.display().to_string()).await {
        Ok(version) => found.version = Some(version),
        Err(note) => found.note = Some(note),
    }
    found
}

/// Whether `--version` is safe to try. A script of the user's own may take the word for a
/// prompt and go to work, so only programs that are known to answer are asked.
fn can_be_asked(config: &AgentConfig, program: &Path) -> bool {
    let name = program.file_name().map(|name| name.to_string_lossy());
    config.kind != AgentKind::Command || name.is_some_and(|name| install(&name).is_some())
}

/// What the program says its version is. One that does not tell may still work.
async fn version(program: &str) -> Result<String, String> {
    // A mark of its own, since a mark's sweep ends everything that carries it.
    static PROBES: AtomicU64 = AtomicU64::new(0);
    let probe = PROBES.fetch_add(1, Ordering::Relaxed);
    let mut spec = Spec::new([program, "--version"], "/");
    spec.mark = format!("version/{}/{probe}/", std::process::id());
    let told = output(&spec, 4096, VERSION_LIMIT)
        .await
        .map_err(|error| format!("it did not tell its version: {error}"))?;
    if told.timed_out {
        return Err("it did not tell its version in 3 s".to_owned());
    }
    if !told.status.success() {
        return Err(format!("`{program} --version` exited with {}", told.status.code));
    }
    let text = told.text();
    let line = text.lines().find(|line| line.contains(|letter: char| letter.is_ascii_digit()));
    line.map(|line| crate::text::plain(line).trim().to_owned())
        .ok_or_else(|| "it told no version".to_owned())
}

#[cfg(test)]
mod tests;
