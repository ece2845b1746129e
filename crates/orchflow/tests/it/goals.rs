//! Whole goals: a demo, a run in two parts, what a checkout with own changes gets.

use std::time::Duration;

use orchflow_runtime::process::{self, Spec};
use orchflow_testkit::{Scripts, TestDaemon, wait_until};
use serde_json::Value;

use crate::ORCHFLOW;
use crate::sound::no_process;
use crate::stage::{APPROVED, Stage, leavings};

/// Does one of two tasks.
const CHOOSY: &str = "case $1 in *other.txt*) echo 'I cannot do that' >&2; exit 3 ;; esac\n\
                      echo hello > notes.txt";

fn last(stdout: &str) -> Value {
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

#[tokio::test]
async fn the_demo_ends_green_and_says_that_its_agents_are_scripted() {
    let home = TestDaemon::home(ORCHFLOW, "", &[]).unwrap();
    let project = home.path().join("demo/words");
    let said = home.cli(&["demo", project.to_str().unwrap()]).await.unwrap().ok();
    assert!(said.stderr.contains("agents of this demo are scripted"), "{said:?}");
    let refused = said.stdout.find("asked for more work before any fixing\n  - ");
    assert!(refused.is_some() && refused < said.stdout.find("- approved by"), "{said:?}");
    assert!(said.stdout.contains("Succeeded (1 of 1 tasks done)"), "{said:?}");
    let tests = Spec::new(["python3", "-m", "unittest"], &project);
    let tests = process::output(&tests, 1 << 20, Duration::from_secs(60)).await.unwrap();
    assert!(tests.status.success(), "{}", tests.error_text());
}

#[tokio::test]
async fn when_one_of_two_tasks_fails_the_other_is_merged_and_the_exit_code_is_1() {
    let (repo, scripts) = (orchflow_testkit::Repo::python(true).await.unwrap(), Scripts::new());
    let scripts = scripts.unwrap();
    let agents =
        [scripts.script("choosy", CHOOSY).unwrap(), scripts.audits("approver", APPROVED).unwrap()];
    let stage = Stage::new(repo, scripts, &agents, "");
    let create = async |args: &[&str]| -> String {
        let all = [&["task", "create"], args].concat();
        stage.run(&all).await.ok().stdout.trim().to_owned()
    };
    let root = create(&["Two things"]).await;
    create(&["Write notes.txt", "--parent", &root]).await;
    create(&["Write other.txt", "--parent", &root]).await;
    let said = stage.run(&["--json", "run", "--auto-approve", "--task", &root]).await;
    let data = last(&said.stdout)["data"].clone();
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!((&data["status"], &data["merged"]), (&"partial".into(), &true.into()), "{data}");
    let failed = data["tasks"].as_array().unwrap().iter().find(|task| task["status"] == "failed");
    let reason = failed.unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("I cannot do that"), "{reason}");
    assert_eq!(stage.repo.read("notes.txt").as_deref(), Some("hello\n"));
    assert_eq!(stage.leavings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_run_goes_on_after_the_daemon_was_ended_and_resume_watches_it() {
    let stage = Stage::with(patient, "").await;
    let args = ["run", "--detach", "--auto-approve", "Add a file notes.txt"];
    let run = stage.run(&args).await.ok().stdout.trim().to_owned();
    let waits = stage.scripts.path().join("go.waits");
    wait_until("the agent at work", || async { waits.exists() }).await;
    stage.run(&["down"]).await.ok();
    no_process(&stage.daemon).await;
    std::fs::write(stage.scripts.path().join("go"), "").unwrap();
    let said = stage.run(&["--json", "run", "--resume"]).await.ok();
    let last = last(&said.stdout);
    assert_eq!(last["about"], run.as_str());
    assert_eq!(last["data"]["status"], "succeeded");
    assert_eq!(stage.repo.read("notes.txt").as_deref(), Some("hello\n"));
    let none = stage.run(&["run", "--resume"]).await;
    assert_eq!(none.code, 3, "nothing is left to resume: {none:?}");
}

#[tokio::test]
async fn own_changes_where_the_merge_would_write_are_not_touched_and_the_printed_command_works() {
    let edits = |scripts: &Scripts| {
        let add = "printf '\\n\\ndef subtract(a, b):\\n    return a - b\\n' >> calc.py";
        scripts.script("editor", add).unwrap()
    };
    let stage = Stage::with(edits, "").await;
    let mine = format!("# mine\n{}", stage.repo.read("calc.py").unwrap());
    stage.repo.write("calc.py", &mine).unwrap();
    stage.repo.write("untracked.txt", "mine\n").unwrap();
    let before = stage.repo.fingerprint().await.unwrap();
    let args = ["--json", "run", "--auto-approve", "Add a function subtract to calc.py"];
    let said = stage.run(&args).await.ok();
    let data = last(&said.stdout)["data"].clone();
    assert_eq!((&data["status"], &data["merged"]), (&"succeeded".into(), &false.into()), "{data}");
    assert_eq!(stage.repo.fingerprint().await.unwrap(), before, "not a byte was touched");
    assert_eq!(stage.repo.read("calc.py").as_deref(), Some(mine.as_str()));
    let run = stage.run(&["--json", "runs", "show"]).await.ok().json();
    let reason = run["landing"]["reason"].as_str().unwrap();
    assert!(reason.contains("calc.py"), "{reason}");
    let notes = run["plan"]["notes"].to_string();
    assert!(notes.contains("calc.py") && notes.contains("--from-working-tree"), "{notes}");
    stage.repo.git(&["stash", "--include-untracked"]).await.unwrap();
    let command = run["landing"]["command"].as_str().unwrap().to_owned();
    let take = Spec::new(["sh", "-c", &command], stage.repo.path());
    let taken = process::output(&take, 1 << 20, Duration::from_secs(60)).await.unwrap();
    assert!(taken.status.success(), "{command}: {}", taken.error_text());
    assert!(stage.repo.read("calc.py").unwrap().contains("subtract"));
    stage.repo.git(&["stash", "pop"]).await.unwrap();
    assert!(stage.repo.read("calc.py").unwrap().starts_with("# mine\n"));
}

#[tokio::test]
async fn from_working_tree_gives_agents_what_is_not_committed_and_not_tracked() {
    let copies = |scripts: &Scripts| {
        scripts.script("copier", "cat draft.txt calc.py > copy.txt && echo copied").unwrap()
    };
    let stage = Stage::with(copies, "").await;
    stage.repo.write("draft.txt", "a draft\n").unwrap();
    stage
        .repo
        .write("calc.py", &format!("# mine\n{}", stage.repo.read("calc.py").unwrap()))
        .unwrap();
    let before = stage.repo.fingerprint().await.unwrap();
    let goal = "Add a file copy.txt";
    let args = ["--json", "run", "--auto-approve", "--from-working-tree", "--no-commit", goal];
    let said = stage.run(&args).await.ok();
    let commit = last(&said.stdout)["data"]["commits"][0].as_str().unwrap().to_owned();
    let copy = stage.repo.git(&["show", &format!("{commit}:copy.txt")]).await.unwrap();
    assert!(copy.starts_with("a draft\n# mine\n"), "{copy}");
    assert_eq!(stage.repo.fingerprint().await.unwrap(), before);
}

#[tokio::test]
async fn cancelling_a_run_saves_what_was_not_committed_and_leaves_nothing_else() {
    let stage = Stage::with(
        |scripts| {
            let script = "echo unfinished > notes.txt\ntouch \"$(dirname \"$0\")/wrote\"\n\
                          exec sleep 86400";
            scripts.script("slow", script).unwrap()
        },
        "",
    )
    .await;
    let before = stage.repo.fingerprint().await.unwrap();
    let args = ["run", "--detach", "--auto-approve", "Add a file notes.txt"];
    let run = stage.run(&args).await.ok().stdout.trim().to_owned();
    let wrote = stage.scripts.path().join("wrote");
    wait_until("the agent to write", || async { wrote.exists() }).await;
    stage.run(&["runs", "cancel", &run]).await.ok();
    assert_eq!(stage.end_of(run.parse().unwrap()).await.status.as_str(), "cancelled");
    no_process(&stage.daemon).await;
    assert_eq!(leavings(&stage.repo).await, Vec::<String>::new());
    assert_eq!(stage.repo.fingerprint().await.unwrap(), before);
    let saved = stage.run(&["--json", "runs", "rescue"]).await.ok().json();
    let name = saved["saved"][0]["name"].as_str().unwrap().to_owned();
    let restored = stage.run(&["--json", "runs", "rescue", &name]).await.ok().json();
    let branch = restored["branch"].as_str().unwrap();
    let text = stage.repo.git(&["show", &format!("{branch}:notes.txt")]).await.unwrap();
    assert_eq!(text, "unfinished");
}

/// An agent that waits until the test lets it go on, and the files both sides look at.
fn patient(scripts: &Scripts) -> orchflow_testkit::Script {
    let go = scripts.path().join("go");
    let script = format!(
        "touch {0}.waits\nwhile [ ! -e {0} ]; do sleep 0.05; done\necho hello > notes.txt",
        go.display()
    );
    scripts.script("patient", &script).unwrap()
}

#[tokio::test]
async fn a_commit_of_the_users_while_an_agent_works_is_not_overtaken_and_both_come_together() {
    let stage = Stage::with(patient, "").await;
    let args = ["run", "--detach", "--auto-approve", "Add a file notes.txt"];
    let run = stage.run(&args).await.ok().stdout.trim().to_owned();
    let waits = stage.scripts.path().join("go.waits");
    wait_until("the agent at work", || async { waits.exists() }).await;
    stage.repo.write("mine.txt", "mine\n").unwrap();
    let mine = stage.repo.commit("Mine").await.unwrap();
    std::fs::write(stage.scripts.path().join("go"), "").unwrap();
    let run = stage.end_of(run.parse().unwrap()).await;
    let landing = run.landing.unwrap();
    if !landing.merged {
        assert_eq!(stage.repo.head().await.unwrap(), mine);
        assert!(landing.reason.as_ref().unwrap().contains("moved on"), "{landing:?}");
        let take = Spec::new(["sh", "-c", landing.command.as_ref().unwrap()], stage.repo.path());
        let taken = process::output(&take, 1 << 20, Duration::from_secs(60)).await.unwrap();
        assert!(taken.status.success(), "{landing:?}: {}", taken.error_text());
    }
    assert_eq!(stage.repo.read("mine.txt").as_deref(), Some("mine\n"));
    assert_eq!(stage.repo.read("notes.txt").as_deref(), Some("hello\n"));
    stage.repo.git(&["merge-base", "--is-ancestor", &mine, "HEAD"]).await.unwrap();
}

#[tokio::test]
async fn two_runs_in_one_repository_at_once_both_give_their_result() {
    let script = "file=$(printf %s \"$1\" | grep -o '[a-z]*\\.txt' | head -1)\necho x > \"$file\"";
    let mut stage = Stage::with(|scripts| scripts.script("writer", script).unwrap(), "").await;
    stage.daemon.up().await.unwrap();
    let first = stage.start("Add a file first.txt").await;
    let second = stage.start("Add a file second.txt").await;
    for run in [stage.end_of(first).await, stage.end_of(second).await] {
        assert_eq!(run.status.as_str(), "succeeded", "{run:#?}");
        let landing = run.landing.unwrap();
        if !landing.merged {
            let take = Spec::new(["sh", "-c", &landing.command.unwrap()], stage.repo.path());
            let taken = process::output(&take, 1 << 20, Duration::from_secs(60)).await.unwrap();
            assert!(taken.status.success(), "{}", taken.error_text());
        }
    }
    for file in ["first.txt", "second.txt"] {
        assert_eq!(stage.repo.read(file).as_deref(), Some("x\n"), "{file}");
    }
    assert_eq!(stage.worktrees(), Vec::<String>::new());
}
