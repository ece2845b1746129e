//! Runs from the command line to their exit code.

use std::path::{Path, PathBuf};

use orchflow_runtime::process::{self, Spec, Stdio};
use orchflow_testkit::{Repo, Script, Scripts, TestDaemon, wait_until};
use rustix::process::{Pid, Signal, kill_process};

use crate::{ORCHFLOW, home};

const MULTIPLY: &str =
    "def add(a, b):\n    return a + b\n\n\ndef multiply(a, b):\n    return b * a\n";

fn with(agent: &Script) -> TestDaemon {
    home(&format!("{}[roles.executor]\nchain = [\"{}\"]\n", agent.config(), agent.name()))
}

/// An agent that says by a file that it is at work, and edits when another file is there.
fn patient(scripts: &Scripts) -> (Script, PathBuf, PathBuf) {
    let dir =
        scripts.script("unused", "").expect("a script can be written").path().with_file_name("");
    let (begun, go) = (dir.join("begun"), dir.join("go"));
    let script = format!(
        "touch {}\nwhile [ ! -e {} ]; do sleep 0.05; done\nprintf '{}' > calc.py",
        begun.display(),
        go.display(),
        MULTIPLY.replace('\n', "\\n")
    );
    (scripts.script("patient", &script).expect("a script can be written"), begun, go)
}

async fn there(what: &str, path: &Path) {
    wait_until(what, || async { path.exists() }).await;
}

#[tokio::test]
async fn tests_run_without_agent_or_approval_and_their_outcome_is_the_exit_code() {
    let daemon = home("");
    for (green, code) in [(true, 0), (false, 1)] {
        let repo = Repo::python(green).await.unwrap();
        let before = repo.fingerprint().await.unwrap();
        let answer = daemon.cli_in(repo.path(), &["run", "run", "the", "tests"]).await.unwrap();
        assert_eq!(answer.code, code, "{answer:?}");
        assert!(answer.stderr.contains("Run the tests: python3 -m unittest"), "{answer:?}");
        assert_eq!(repo.fingerprint().await.unwrap(), before);
    }
}

#[tokio::test]
async fn a_plan_that_changes_files_waits_is_edited_approved_and_merged() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let daemon = with(&scripts.edits("editor", "calc.py", MULTIPLY).unwrap());
    let asked = daemon.cli_in(repo.path(), &["run", "turn the factors around"]).await.unwrap();
    assert_eq!(asked.code, 4, "{asked:?}");
    assert!(asked.stderr.contains("orchflow runs approve run_"), "{asked:?}");
    assert_eq!(repo.git(&["status", "--porcelain", "-uall"]).await.unwrap(), "");
    let plan = repo.read(".orchflow/plan.md").unwrap();
    let edited: Vec<String> = plan
        .lines()
        .map(|line| match line.split_once(": ") {
            Some((key, _)) if key.starts_with("## ") => format!("{key}: Turn them, says a person"),
            _ => line.to_owned(),
        })
        .collect();
    repo.write(".orchflow/plan.md", &format!("{}\n", edited.join("\n"))).unwrap();
    daemon.cli_in(repo.path(), &["runs", "approve"]).await.unwrap().ok();
    let done = daemon.cli_in(repo.path(), &["run", "--resume"]).await.unwrap();
    // It may have ended before it could be taken up again.
    assert!(done.code == 0 || done.code == 3, "{done:?}");
    let show = || daemon.cli_in(repo.path(), &["runs", "report"]);
    let report = show().await.unwrap().ok();
    assert!(report.stdout.contains("Turn them, says a person"), "{report:?}");
    assert_eq!(repo.read("calc.py").as_deref(), Some(MULTIPLY), "{report:?}");
}

#[tokio::test]
async fn the_plan_file_of_one_run_is_not_approved_for_another_with_the_same_goal() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let daemon = with(&scripts.edits("editor", "calc.py", MULTIPLY).unwrap());
    let mut runs = Vec::new();
    for _ in 0..2 {
        let asked = daemon.cli_in(repo.path(), &["run", "turn the factors around"]).await.unwrap();
        assert_eq!(asked.code, 4, "{asked:?}");
        let plan = repo.read(".orchflow/plan.md").unwrap();
        let named = plan.lines().find_map(|line| line.strip_prefix("run: ")).unwrap();
        assert!(asked.stderr.contains(&format!("orchflow runs approve {named}")), "{asked:?}");
        runs.push(named.to_owned());
    }
    let [first, second] = [&runs[0], &runs[1]];
    let approve = |more: &'static [&'static str]| {
        let args = [&["runs", "approve", first.as_str()], more].concat();
        let (daemon, repo) = (&daemon, &repo);
        async move { daemon.cli_in(repo.path(), &args).await.unwrap() }
    };
    let told = approve(&[]).await;
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.stderr.contains(&format!("is the plan of {second}, not of {first}")), "{told:?}");
    assert!(told.stderr.contains(&format!("orchflow run --resume {first}")), "{told:?}");
    let told = approve(&["--plan", ".orchflow/plan.md"]).await;
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.stderr.contains("line 2: this is the plan of"), "{told:?}");
    // What the hint says leads on.
    let asked = daemon.cli_in(repo.path(), &["run", "--resume", first]).await.unwrap();
    assert_eq!(asked.code, 4, "{asked:?}");
    approve(&[]).await.ok();
    daemon.cli_in(repo.path(), &["runs", "reject", second]).await.unwrap().ok();
}

#[tokio::test]
async fn a_plan_that_cannot_be_read_is_refused_with_its_line() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let daemon = with(&scripts.edits("editor", "calc.py", MULTIPLY).unwrap());
    daemon.cli_in(repo.path(), &["run", "turn the factors around"]).await.unwrap();
    repo.write("mine.md", "# Plan: turn the factors around\n\n## No key here\n").unwrap();
    let answer =
        daemon.cli_in(repo.path(), &["runs", "approve", "--plan", "mine.md"]).await.unwrap();
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("line 3"), "{answer:?}");
}

#[tokio::test]
async fn events_come_as_json_lines_and_the_last_says_how_it_ended() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let daemon = with(&scripts.edits("editor", "calc.py", MULTIPLY).unwrap());
    let args = ["run", "--json", "--auto-approve", "turn the factors around"];
    let answer = daemon.cli_in(repo.path(), &args).await.unwrap().ok();
    let lines: Vec<serde_json::Value> =
        answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["type"], "run.started");
    let finished = lines.iter().filter(|line| line["type"] == "run.finished").count();
    let last = lines.last().unwrap();
    assert_eq!((finished, &last["data"]["status"]), (1, &"succeeded".into()), "{last}");
    assert_eq!(last["data"]["tasks"][0]["status"], "completed");
    let head = repo.head().await.unwrap();
    assert!(
        last["data"]["commits"].as_array().unwrap().iter().any(|commit| *commit == *head),
        "{last}"
    );
    let cursors: Vec<u64> = lines.iter().map(|line| line["cursor"].as_u64().unwrap()).collect();
    assert!(cursors.is_sorted_by(|before, after| before < after), "{cursors:?}");
}

#[tokio::test]
async fn a_run_is_followed_through_the_death_of_its_daemon() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let (agent, begun, go) = patient(&scripts);
    let mut daemon = with(&agent);
    daemon.up().await.unwrap();
    let spec =
        Spec::new([ORCHFLOW, "run", "--auto-approve", "turn the factors around"], repo.path())
            .env("ORCHFLOW_HOME", daemon.path());
    let mut command = process::spawn(&Spec { stdio: Stdio::Null, ..spec }).unwrap();
    there("the agent begins", &begun).await;
    std::fs::remove_file(&begun).unwrap();
    daemon.kill().await;
    there("the agent begins again", &begun).await;
    std::fs::write(&go, "").unwrap();
    assert_eq!(command.exit.wait().await.code, 0);
    assert_eq!(repo.read("calc.py").as_deref(), Some(MULTIPLY));
}

#[tokio::test]
async fn control_c_cancels_the_run_and_leaves_the_checkout_as_it_was() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let (agent, begun, _) = patient(&scripts);
    let daemon = with(&agent);
    let before = repo.fingerprint().await.unwrap();
    let spec =
        Spec::new([ORCHFLOW, "run", "--auto-approve", "turn the factors around"], repo.path())
            .env("ORCHFLOW_HOME", daemon.path());
    let mut command = process::spawn(&Spec { stdio: Stdio::Null, ..spec }).unwrap();
    there("the agent begins", &begun).await;
    let pid = Pid::from_raw(i32::try_from(command.pid).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(command.exit.wait().await.code, 130);
    let runs = daemon.cli_in(repo.path(), &["runs", "list", "--json"]).await.unwrap().ok().json();
    assert_eq!(runs["runs"][0]["status"], "cancelled");
    let panes = daemon.cli(&["pane", "list", "--running", "--json"]).await.unwrap().ok().json();
    assert_eq!(panes["panes"], serde_json::json!([]));
    assert_eq!(repo.fingerprint().await.unwrap(), before);
}

#[tokio::test]
async fn without_any_agent_a_goal_that_needs_one_is_refused_before_anything_is_made() {
    let repo = Repo::python(true).await.unwrap();
    let daemon = TestDaemon::home(ORCHFLOW, "", &[("PATH", "/usr/bin:/bin")]).unwrap();
    let answer = daemon.cli_in(repo.path(), &["run", "make the page pretty"]).await.unwrap();
    assert_eq!(answer.code, 5, "{answer:?}");
    assert!(answer.stderr.contains("hint: "), "{answer:?}");
    assert_eq!(repo.git(&["worktree", "list"]).await.unwrap().lines().count(), 1);
}

#[tokio::test]
async fn a_plan_that_waits_for_a_person_waits_through_the_end_of_its_daemon() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let daemon = with(&scripts.edits("editor", "calc.py", MULTIPLY).unwrap());
    let asked = daemon.cli_in(repo.path(), &["run", "turn the factors around"]).await.unwrap();
    assert_eq!(asked.code, 4, "{asked:?}");
    daemon.cli(&["down"]).await.unwrap().ok();
    // The first thing the next daemon is asked for: it must know the run by then.
    daemon.cli_in(repo.path(), &["runs", "approve"]).await.unwrap().ok();
    daemon.cli_in(repo.path(), &["run", "--resume"]).await.unwrap();
    assert_eq!(repo.read("calc.py").as_deref(), Some(MULTIPLY));
}

#[tokio::test]
async fn what_an_auditor_commits_itself_is_not_part_of_the_work() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let editor = scripts.edits("editor", "calc.py", MULTIPLY).unwrap();
    let auditor = scripts
        .script(
            "auditor",
            "echo evil > evil.txt\ngit add evil.txt\n\
             git -c user.name=a -c user.email=a@b commit -qm mine\n\
             echo '{\"verdict\": \"APPROVED\", \"findings\": []}'",
        )
        .unwrap();
    let daemon = home(&format!("{}{}", editor.config(), auditor.config()));
    let args = [
        "run",
        "--auto-approve",
        "--role",
        "executor=editor",
        "--role",
        "auditor=auditor",
        "turn the factors around",
    ];
    daemon.cli_in(repo.path(), &args).await.unwrap().ok();
    assert_eq!(repo.read("calc.py").as_deref(), Some(MULTIPLY));
    assert_eq!(repo.read("evil.txt"), None);
}

#[tokio::test]
async fn what_the_gates_leave_behind_is_not_committed() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let daemon = with(&scripts.edits("editor", "calc.py", MULTIPLY).unwrap());
    repo.write("test_trace.py", "import unittest\n\n\nclass Trace(unittest.TestCase):\n    def test_it(self):\n        open('trace.txt', 'w').close()\n").unwrap();
    repo.commit("A test that leaves a file").await.unwrap();
    let args = ["run", "--auto-approve", "turn the factors around"];
    daemon.cli_in(repo.path(), &args).await.unwrap().ok();
    let files = repo.git(&["show", "--name-only", "--format=", "HEAD"]).await.unwrap();
    assert!(!files.contains("trace.txt"), "{files}");
    let tree = repo.git(&["ls-tree", "-r", "--name-only", "HEAD"]).await.unwrap();
    assert!(!tree.contains("trace.txt") && !tree.contains(".pyc"), "{tree}");
}

#[tokio::test]
async fn settings_for_agents_that_nobody_trusts_keep_agents_from_starting() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let daemon = with(&scripts.edits("editor", "calc.py", MULTIPLY).unwrap());
    repo.write(".claude/settings.json", "{\"hooks\": {}}").unwrap();
    repo.commit("Settings of its own").await.unwrap();
    let before = repo.fingerprint().await.unwrap();
    let args = ["run", "--auto-approve", "turn the factors around"];
    let refused = daemon.cli_in(repo.path(), &args).await.unwrap();
    assert_eq!(refused.code, 4, "before anything is made: {refused:?}");
    // The checkout has none now; the worktree, which is made from HEAD, does.
    let file = repo.path().join(".claude/settings.json");
    std::fs::remove_file(&file).unwrap();
    let refused = daemon.cli_in(repo.path(), &args).await.unwrap();
    assert_eq!(refused.code, 1, "{refused:?}");
    repo.write(".claude/settings.json", "{\"hooks\": {}}").unwrap();
    let report = daemon.cli_in(repo.path(), &["runs", "report"]).await.unwrap().ok();
    assert!(report.stdout.contains("`orchflow trust`"), "{report:?}");
    assert_eq!(repo.fingerprint().await.unwrap(), before);
    daemon.cli_in(repo.path(), &["trust", "--yes"]).await.unwrap().ok();
    daemon.cli_in(repo.path(), &args).await.unwrap().ok();
    assert_eq!(repo.read("calc.py").as_deref(), Some(MULTIPLY));
}

#[tokio::test]
async fn an_agent_cannot_be_said_to_change_nothing() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::python(true).await.unwrap());
    let daemon = with(&scripts.edits("editor", "calc.py", MULTIPLY).unwrap());
    let before = repo.fingerprint().await.unwrap();
    daemon.cli_in(repo.path(), &["run", "turn the factors around"]).await.unwrap();
    let plan = repo.read(".orchflow/plan.md").unwrap();
    assert!(plan.contains("writes: yes"), "{plan}");
    repo.write(".orchflow/plan.md", &plan.replace("writes: yes", "writes: no")).unwrap();
    let answer = daemon.cli_in(repo.path(), &["runs", "approve"]).await.unwrap();
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("writes: yes"), "{answer:?}");
    assert_eq!(repo.fingerprint().await.unwrap(), before);
}

#[tokio::test]
async fn the_newest_run_of_a_project_is_found_from_its_folders_whatever_ran_elsewhere_since() {
    let (here, elsewhere) = (Repo::python(true).await.unwrap(), Repo::python(true).await.unwrap());
    let daemon = home("");
    for repo in [&here, &elsewhere] {
        daemon.cli_in(repo.path(), &["run", "run", "the", "tests"]).await.unwrap().ok();
    }
    let below = here.path().join("below");
    std::fs::create_dir(&below).unwrap();
    for dir in [here.path(), &below] {
        daemon.cli_in(dir, &["runs", "report"]).await.unwrap().ok();
    }
}
