//! The project's own tools: one command, its exit code, its time, the end of its output.

use std::path::{Component, Path};

use async_trait::async_trait;
use orchflow_types::AgentKind;
use orchflow_types::run::GateResult;

use crate::pane_turn::{self, Job};
use crate::text::Tail;
use crate::{Adapter, AgentConfig, Cx, Failure, Outcome, Turn};

/// Runs the command of a leaf as it stands in the plan.
pub(crate) struct Tool {
    config: AgentConfig,
}

impl Tool {
    pub(crate) const fn new(config: AgentConfig) -> Self {
        Self { config }
    }
}

#[async_trait]
impl Adapter for Tool {
    fn kind(&self) -> AgentKind {
        AgentKind::Tool
    }

    async fn turn(&self, cx: &Cx, turn: &Turn) -> Outcome {
        let argv = turn.plan.command.clone();
        if argv.is_empty() {
            let reason = format!("the plan gives no command for `{}`", turn.plan.key);
            return Outcome::failed(Failure::Environment, reason, None);
        }
        let Some(cwd) = folder(&turn.cwd, &turn.plan.dir) else {
            let reason = format!("`{}` leads out of the folder of the task", turn.plan.dir);
            return Outcome::failed(Failure::Environment, reason, None);
        };
        let job = Job::new(&self.config, argv.clone(), argv.clone(), cwd);
        let mut tail = Tail::default();
        let mut keep = |_, line: &str| tail.push(line);
        match pane_turn::run(cx, turn, job, &mut keep).await {
            Ok(ended) => {
                // The gate tells the command and its code; only a signal is news.
                let summary = ended.signal.map(|_| format!("its command {}", ended.how()));
                let gate = GateResult {
                    name: turn.plan.key.clone(),
                    argv,
                    exit_code: ended.code,
                    duration_ms: ended.millis,
                    pane_id: Some(ended.pane),
                    tests: None,
                    tail: if ended.code == 0 { String::new() } else { tail.text() },
                };
                Outcome::Done {
                    pane: Some(ended.pane),
                    summary: summary.unwrap_or_default(),
                    gate: Some(gate),
                    audit: None,
                    answer: None,
                    session: None,
                    usage: None,
                }
            }
            Err(broken) => broken.into(),
        }
    }
}

/// The folder of a command; none when it leads out of the task's own.
fn folder(cwd: &str, dir: &str) -> Option<String> {
    let inside = Path::new(dir)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let joined = if dir.is_empty() { cwd.to_owned() } else { format!("{cwd}/{dir}") };
    inside.then_some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stays_within_the_task_s_own() {
        assert_eq!(folder("/w", ""), Some("/w".to_owned()));
        assert_eq!(folder("/w", "web/app"), Some("/w/web/app".to_owned()));
        assert_eq!(folder("/w", "../other"), None);
        assert_eq!(folder("/w", "a/../../b"), None);
        assert_eq!(folder("/w", "/etc"), None);
    }
}
