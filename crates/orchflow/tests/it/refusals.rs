//! What stands in the way is said before anything is made: the kind, the reason, the way on.

use orchflow_testkit::{Output, Repo, Scripts, TestDaemon};
use tempfile::TempDir;

use crate::ORCHFLOW;
use crate::sound::no_process;
use crate::stage::{Stage, error, kind};

const GOAL: &str = "Add a file notes.txt";

fn editor(scripts: &Scripts) -> orchflow_testkit::Script {
    scripts.edits("editor", "notes.txt", "hello\n").unwrap()
}

async fn change(stage: &Stage) -> Output {
    stage.run(&["--json", "run", "--auto-approve", GOAL]).await
}

fn message(output: &Output) -> String {
    error(output)["message"].as_str().unwrap().to_owned()
}

/// A `PATH` with what orchflow needs, and no coding agent.
fn bare_path() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for program in ["git", "sh"] {
        let found = orchflow_runtime::env::find_program(program).unwrap();
        std::os::unix::fs::symlink(found, dir.path().join(program)).unwrap();
    }
    dir
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told_with_the_nearest_that_is() {
    let daemon = TestDaemon::home(ORCHFLOW, "", &[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such");
    let told = daemon.cli(&["-C", missing.to_str().unwrap(), "runs"]).await.unwrap();
    assert_eq!(told.code, 3, "{told:?}");
    assert!(told.stderr.contains(&format!("there is no folder {}", missing.display())), "{told:?}");
    let nearest = format!(
        "hint: name a folder that is there; the nearest one is {}\n",
        folder.path().display()
    );
    assert!(told.stderr.contains(&nearest), "{told:?}");
}

#[tokio::test]
async fn without_a_repository_a_change_is_refused_and_a_look_still_works() {
    let stage = Stage::with(editor, "").await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("test_it.py"),
        "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        pass\n",
    )
    .unwrap();
    let args = ["--json", "run", "--auto-approve", GOAL];
    let said = stage.daemon.cli_in(folder.path(), &args).await.unwrap();
    assert_eq!(kind(&said), "no_repository", "{said:?}");
    assert!(error(&said)["data"]["hint"].is_string(), "{said:?}");
    let looked = stage.daemon.cli_in(folder.path(), &["run", "run the tests"]).await.unwrap().ok();
    assert!(looked.stdout.contains("1 passed"), "{looked:?}");
}

#[tokio::test]
async fn a_bare_repository_is_refused_and_named_as_bare() {
    let stage = Stage::with(editor, "").await;
    let bare = tempfile::tempdir().unwrap();
    stage.repo.git(&["init", "-q", "--bare", bare.path().to_str().unwrap()]).await.unwrap();
    let args = ["--json", "run", "--auto-approve", GOAL];
    let said = stage.daemon.cli_in(bare.path(), &args).await.unwrap();
    assert_ne!(said.code, 0);
    assert!(message(&said).contains("bare"), "{said:?}");
}

#[tokio::test]
async fn a_repository_without_a_commit_is_refused_and_says_what_is_missing() {
    let (repo, scripts) = (Repo::empty().await.unwrap(), Scripts::new().unwrap());
    let agents = [editor(&scripts)];
    let stage = Stage::new(repo, scripts, &agents, "");
    let said = change(&stage).await;
    assert_ne!(said.code, 0);
    assert!(message(&said).contains("no commit"), "{said:?}");
    assert_eq!(stage.worktrees(), Vec::<String>::new());
}

#[tokio::test]
async fn on_a_detached_head_the_result_stays_on_its_branch_and_says_why() {
    let stage = Stage::with(editor, "").await;
    stage.repo.git(&["checkout", "-q", "--detach"]).await.unwrap();
    let before = stage.repo.fingerprint().await.unwrap();
    let said = change(&stage).await.ok();
    assert!(said.stdout.lines().last().unwrap().contains("\"merged\":false"), "{said:?}");
    assert_eq!(stage.repo.fingerprint().await.unwrap(), before);
    let run = stage.run(&["--json", "runs", "show"]).await.ok().json();
    let reason = run["landing"]["reason"].as_str().unwrap();
    assert!(reason.contains("detached"), "{reason}");
}

#[tokio::test]
async fn in_the_middle_of_a_rebase_the_checkout_is_left_exactly_as_it_is() {
    let stage = Stage::with(editor, "").await;
    let repo = &stage.repo;
    repo.git(&["checkout", "-q", "-b", "side"]).await.unwrap();
    repo.write("shared.txt", "side\n").unwrap();
    repo.commit("Side").await.unwrap();
    repo.git(&["checkout", "-q", "main"]).await.unwrap();
    repo.write("shared.txt", "main\n").unwrap();
    repo.commit("Main").await.unwrap();
    repo.git(&["checkout", "-q", "side"]).await.unwrap();
    repo.git(&["rebase", "-q", "main"]).await.unwrap_err();
    let before = repo.fingerprint().await.unwrap();
    let said = change(&stage).await;
    assert_eq!(repo.fingerprint().await.unwrap(), before, "{said:?}");
    if said.code == 0 {
        let run = stage.run(&["--json", "runs", "show"]).await.ok().json();
        assert_eq!(run["landing"]["merged"], false);
    } else {
        assert!(message(&said).contains("rebase"), "{said:?}");
    }
    repo.git(&["rebase", "--abort"]).await.unwrap();
}

#[tokio::test]
async fn without_any_agent_it_ends_with_5_and_leaves_nothing_behind() {
    let path = bare_path();
    let env = [("PATH", path.path().to_str().unwrap())];
    let daemon = TestDaemon::home(ORCHFLOW, "", &env).unwrap();
    let repo = Repo::python(true).await.unwrap();
    let stage = Stage { daemon, repo, scripts: Scripts::new().unwrap() };
    let before = stage.repo.fingerprint().await.unwrap();
    let said = change(&stage).await;
    assert_eq!((said.code, kind(&said).as_str()), (5, "no_agent"), "{said:?}");
    assert!(error(&said)["data"]["hint"].as_str().unwrap().contains("orchflow agents"));
    assert!(message(&said).contains("claude"), "it says what was looked for: {said:?}");
    assert_eq!(stage.repo.fingerprint().await.unwrap(), before);
    assert_eq!(stage.leavings().await, Vec::<String>::new());
    assert_eq!(stage.worktrees(), Vec::<String>::new());
    let runs = stage.run(&["--json", "runs", "list", "--all"]).await.ok().json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 0, "{runs}");
    no_process(&stage.daemon).await;
}

#[tokio::test]
async fn an_agent_nobody_knows_is_refused_with_those_there_are() {
    let stage = Stage::with(editor, "").await;
    let args = ["--json", "run", "--auto-approve", "--role", "executor=nobody", GOAL];
    let said = stage.run(&args).await;
    assert_eq!((said.code, kind(&said).as_str()), (3, "agent_not_found"), "{said:?}");
    assert!(message(&said).contains("editor"), "{said:?}");
}

/// A small file system of one's own; none where it cannot be had.
struct SmallDisk(TempDir);

impl SmallDisk {
    async fn new(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let argv = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", dir.path().to_str().unwrap()];
        if !ran(&argv).await {
            println!("skipped: this needs root, to mount a file system of 2 MB");
            return None;
        }
        Some(Self(dir))
    }

    async fn again(&self, options: &str) {
        assert!(ran(&["mount", "-o", options, self.0.path().to_str().unwrap()]).await);
    }

    async fn unmount(self) {
        assert!(ran(&["umount", "--lazy", self.0.path().to_str().unwrap()]).await);
    }
}

async fn ran(argv: &[&str]) -> bool {
    let spec = orchflow_runtime::process::Spec::new(argv.iter(), "/");
    let limit = std::time::Duration::from_secs(30);
    let output = orchflow_runtime::process::output(&spec, 1 << 16, limit).await;
    output.is_ok_and(|output| output.status.success())
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_and_room_is_all_it_takes() {
    let Some(disk) = SmallDisk::new("size=2m").await else { return };
    let home = disk.0.path().join("home");
    let env = [("ORCHFLOW_HOME", home.to_str().unwrap())];
    let daemon = TestDaemon::home(ORCHFLOW, "", &env).unwrap();
    let ballast = disk.0.path().join("ballast");
    // What fails is the point: the file system holds less.
    std::fs::write(&ballast, vec![1_u8; 4 << 20]).unwrap_err();
    let full = daemon.cli(&["--json", "task", "create", "One"]).await.unwrap();
    std::fs::remove_file(&ballast).unwrap();
    let room = daemon.cli(&["task", "create", "One"]).await.unwrap();
    let ended = daemon.cli(&["down"]).await.unwrap();
    disk.unmount().await;
    assert_eq!((full.code, kind(&full).as_str()), (8, "storage_full"), "{full:?}");
    assert!(!message(&full).is_empty() && !full.stderr.contains("panicked"), "{full:?}");
    room.ok();
    ended.ok();
}

#[tokio::test]
async fn a_home_that_cannot_be_written_is_told_with_its_path() {
    let Some(disk) = SmallDisk::new("size=2m").await else { return };
    disk.again("remount,ro").await;
    let home = disk.0.path().join("home");
    let env = [("ORCHFLOW_HOME", home.to_str().unwrap())];
    let daemon = TestDaemon::home(ORCHFLOW, "", &env).unwrap();
    let said = daemon.cli(&["--json", "status"]).await.unwrap();
    disk.unmount().await;
    assert_ne!(said.code, 0);
    assert!(message(&said).contains(home.to_str().unwrap()), "{said:?}");
    assert!(!said.stderr.contains("panicked"), "{said:?}");
}
