//! Which agents are on this machine: looked up on `PATH`, asked for their version.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use orchflow_runtime::env::find_program;
use orchflow_runtime::process::{Spec, output};
use orchflow_runtime::{Supervisor, TaskKind};
use orchflow_types::AgentKind;
use orchflow_types::agent::FoundAgent;

use crate::AgentConfig;

/// How long a program may take to tell its version.
const VERSION_LIMIT: Duration = Duration::from_secs(3);
/// What is said of one that takes longer.
const SLOW: &str = "it did not tell its version in 3 s";

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
        found.note = Some(if name.contains('/') && !Path::new(&name).is_absolute() {
            format!("`{name}` is a relative path, another file in each folder: give it whole")
        } else {
            format!("the program `{name}` was not found")
        });
        return found;
    };
    found.available = true;
    found.program = Some(path.display().to_string());
    if !can_be_asked(config, &path) {
        return found;
    }
    match known_version(&path).await {
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

/// What a program was found to be, the last time it was asked.
#[derive(Clone)]
struct Asked {
    /// The file that was asked; another one at its place is asked anew.
    file: (PathBuf, u64, u64, Option<SystemTime>),
    said: Result<String, String>,
}

/// What a program says its version is, asked once per file: to look at the agents, over and
/// over, starts nothing over and over.
async fn known_version(path: &Path) -> Result<String, String> {
    static KNOWN: Mutex<BTreeMap<PathBuf, Asked>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let file = identity(path);
    let before = known().get(path).cloned();
    match (before, file) {
        (Some(before), Some(file)) if before.file == file => before.said,
        (_, file) => {
            let said = version(&path.display().to_string()).await;
            // A machine that is busy now is not so for ever.
            let settled = !matches!(&said, Err(note) if note == SLOW);
            if let Some(file) = file.filter(|_| settled) {
                known().insert(path.to_owned(), Asked { file, said: said.clone() });
            }
            said
        }
    }
}

/// What tells the file behind a path from one that takes its place.
fn identity(path: &Path) -> Option<(PathBuf, u64, u64, Option<SystemTime>)> {
    let real = path.canonicalize().ok()?;
    let meta = real.metadata().ok()?;
    Some((real, meta.ino(), meta.len(), meta.modified().ok()))
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
        return Err(SLOW.to_owned());
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
