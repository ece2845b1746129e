//! What most tests stand on: a home, a repository and agents that leave a trace of each turn.

use std::path::Path;

use orchflow_client::Client;
use orchflow_protocol::run::{Choices, Get, RunParams, Start, StartParams};
use orchflow_testkit::{Output, Repo, Script, Scripts, TestDaemon, wait_until};
use orchflow_types::RunId;
use orchflow_types::run::Run;
use serde_json::Value;

use crate::ORCHFLOW;

/// What an auditor says that has nothing against a change.
pub(crate) const APPROVED: &str = r#"{"verdict":"APPROVED","findings":[]}"#;

/// A home with agents, and a repository to let them loose on. What is dropped last is the
/// repository, since processes of the daemon may still stand in it.
pub(crate) struct Stage {
    pub(crate) daemon: TestDaemon,
    pub(crate) repo: Repo,
    pub(crate) scripts: Scripts,
}

impl Stage {
    /// Agents as given, the first as executor and consultant, the second as auditor.
    pub(crate) fn new(repo: Repo, scripts: Scripts, agents: &[Script], more: &str) -> Self {
        let mut config = String::new();
        for (role, place) in [("executor", 0), ("consultant", 0), ("auditor", 1)] {
            if let Some(agent) = agents.get(place) {
                config.push_str(&format!("[roles.{role}]\nchain = [\"{}\"]\n", agent.name()));
            }
        }
        agents.iter().for_each(|agent| config.push_str(&agent.config()));
        config.push_str(more);
        let daemon = TestDaemon::home(ORCHFLOW, &config, &[]).unwrap();
        Self { daemon, repo, scripts }
    }

    /// One script as executor, and an auditor that approves, on the green Python project.
    pub(crate) async fn with(executor: impl Fn(&Scripts) -> Script, more: &str) -> Self {
        let (repo, scripts) = (Repo::python(true).await.unwrap(), Scripts::new().unwrap());
        let agents = [executor(&scripts), scripts.audits("approver", APPROVED).unwrap()];
        Self::new(repo, scripts, &agents, more)
    }

    /// `orchflow ARGS…` in the repository.
    pub(crate) async fn run(&self, args: &[&str]) -> Output {
        self.daemon.cli_in(self.repo.path(), args).await.unwrap()
    }

    /// Starts a run of a goal that is approved already.
    pub(crate) async fn start(&self, goal: &str) -> RunId {
        let client = self.daemon.client().await.unwrap();
        client.call::<Start>(self.params(goal)).await.unwrap().run_id
    }

    pub(crate) fn params(&self, goal: &str) -> StartParams {
        let choices = Choices { auto_approve: Some(true), ..Choices::default() };
        let dir = self.repo.path().to_str().unwrap().to_owned();
        StartParams { goal: goal.to_owned(), dir, choices, plan: None }
    }

    /// Waits for the end of a run.
    pub(crate) async fn end_of(&self, run_id: RunId) -> Run {
        let client = self.daemon.client().await.unwrap();
        wait_until("the end of the run", || async {
            look(&client, run_id).await.is_some_and(|run| run.status.is_final())
        })
        .await;
        look(&client, run_id).await.unwrap()
    }

    /// Everything orchflow could have left in the repository: worktrees and branches.
    pub(crate) async fn leavings(&self) -> Vec<String> {
        leavings(&self.repo).await
    }

    /// What is left in the daemon's own folder of worktrees, beside its note on whose they are.
    pub(crate) fn worktrees(&self) -> Vec<String> {
        let mut found = files_below(&self.daemon.path().join("worktrees"));
        found.retain(|path| !path.ends_with("/.repository"));
        found
    }
}

/// A run as it stands, when the daemon answers.
pub(crate) async fn look(client: &Client, run_id: RunId) -> Option<Run> {
    client.call::<Get>(RunParams { run_id }).await.ok()
}

/// Worktrees beside the checkout, branches of orchflow's, saved work.
pub(crate) async fn leavings(repo: &Repo) -> Vec<String> {
    let worktrees = repo.git(&["worktree", "list", "--porcelain"]).await.unwrap();
    let worktrees = worktrees.lines().filter(|line| line.starts_with("worktree ")).skip(1);
    let branches = repo.git(&["for-each-ref", "--format=%(refname)", "refs/heads/orchflow"]).await;
    let mut found: Vec<String> = worktrees.map(str::to_owned).collect();
    found.extend(branches.unwrap().lines().map(str::to_owned));
    found
}

fn files_below(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files_below(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found
}

/// The kind of an error that `--json` printed on stderr.
pub(crate) fn kind(output: &Output) -> String {
    error(output)["data"]["kind"].as_str().unwrap_or_default().to_owned()
}

/// The error that `--json` printed on stderr: its last line that is JSON.
pub(crate) fn error(output: &Output) -> Value {
    let parsed = output.stderr.lines().rev().find_map(|line| serde_json::from_str(line).ok());
    let whole = || serde_json::from_str(&output.stderr).ok();
    let found: Value = parsed.or_else(whole).unwrap_or_else(|| panic!("no error in {output:?}"));
    if found["error"].is_object() { found["error"].clone() } else { found }
}
