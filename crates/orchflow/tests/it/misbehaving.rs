//! Agents that do what they must not: the run says so, the user's checkout does not notice,
//! and nothing of them stays.

use orchflow_testkit::{Script, Scripts};
use orchflow_types::run::{Run, RunStatus};

use crate::sound::no_process;
use crate::stage::{APPROVED, Stage};

const GOAL: &str = "Add a file notes.txt";

/// Lets one agent work and asserts what holds whatever it does.
async fn suffer(stage: &mut Stage) -> Run {
    let before = stage.repo.fingerprint().await.unwrap();
    stage.daemon.up().await.unwrap();
    let run_id = stage.start(GOAL).await;
    let run = stage.end_of(run_id).await;
    no_process(&stage.daemon).await;
    assert_eq!(stage.leavings().await, Vec::<String>::new());
    assert_eq!(stage.worktrees(), Vec::<String>::new());
    if run.status != RunStatus::Succeeded {
        assert_eq!(stage.repo.fingerprint().await.unwrap(), before);
    }
    run
}

async fn one(executor: impl Fn(&Scripts) -> Script, more: &str) -> (Stage, Run) {
    let mut stage = Stage::with(executor, more).await;
    let run = suffer(&mut stage).await;
    (stage, run)
}

fn reason(run: &Run) -> String {
    let leaf = run.leaves[0].reason.clone().unwrap_or_default();
    format!("{leaf} {}", run.leaves[0].notes.join(" "))
}

#[tokio::test]
async fn what_an_agent_that_prints_garbage_changed_is_said_and_its_garbage_reaches_no_terminal() {
    let (stage, run) = one(|scripts| scripts.prints_garbage("noise").unwrap(), "").await;
    assert!(run.leaves[0].commit.is_none() && run.landing.is_none(), "{run:#?}");
    assert_eq!(run.status, RunStatus::Failed, "{run:#?}");
    let report = stage.run(&["runs", "report"]).await.ok().stdout;
    assert!(report.contains("it changed nothing"), "{report}");
    assert!(!report.contains(|c: char| c.is_control() && c != '\n'), "{report:?}");
}

#[tokio::test]
async fn an_auditor_that_prints_garbage_never_approves() {
    let repo = orchflow_testkit::Repo::python(true).await.unwrap();
    let scripts = Scripts::new().unwrap();
    let agents = [
        scripts.edits("editor", "notes.txt", "hello\n").unwrap(),
        scripts.prints_garbage("noise").unwrap(),
    ];
    let mut stage = Stage::new(repo, scripts, &agents, "");
    let run = suffer(&mut stage).await;
    let approved = run.leaves[0].audit.as_ref().map(|audit| audit.verdict);
    assert_ne!(approved, Some(orchflow_types::run::Verdict::Approved), "{run:#?}");
    assert_ne!(run.status, RunStatus::Succeeded, "{run:#?}");
}

#[tokio::test]
async fn an_agent_that_hangs_is_ended_when_it_was_silent_for_too_long() {
    let more = "[run]\nidle_seconds = 1\n";
    let (_stage, run) = one(|scripts| scripts.hangs("hangs").unwrap(), more).await;
    assert_eq!(run.status, RunStatus::Failed, "{run:#?}");
    assert!(reason(&run).contains('1'), "it says how long it was silent: {}", reason(&run));
}

#[tokio::test]
async fn an_agent_that_ignores_term_and_its_hidden_child_are_killed() {
    let more = "[run]\nidle_seconds = 1\n";
    let (_stage, run) = one(|scripts| scripts.ignores_term("deaf").unwrap(), more).await;
    assert_eq!(run.status, RunStatus::Failed, "{run:#?}");
}

#[tokio::test]
async fn an_agent_that_deletes_its_worktree_fails_and_is_named() {
    let deletes = |scripts: &Scripts| scripts.deletes_its_worktree("vandal").unwrap();
    let (_stage, run) = one(deletes, "").await;
    assert_eq!(run.status, RunStatus::Failed, "{run:#?}");
    assert!(reason(&run).contains("vandal"), "{}", reason(&run));
}

#[tokio::test]
async fn what_an_agent_does_to_its_branch_or_its_link_to_git_costs_nobody_its_work() {
    let commit = "git add -A && git -c user.name=x -c user.email=x@x commit -q -m mine";
    for (what, script) in [
        ("commits elsewhere", format!("git checkout -q -b elsewhere\n{commit}")),
        (
            "deletes its branch",
            "own=$(git symbolic-ref --short HEAD)\ngit checkout -q --detach\ngit branch -D $own"
                .to_owned(),
        ),
        ("removes its link to git", "rm -f .git".to_owned()),
    ] {
        let script = format!("echo hello > notes.txt\n{script}\necho done");
        let work = |scripts: &Scripts| scripts.script("mover", &script).unwrap();
        let (stage, run) = one(work, "").await;
        assert_eq!(run.status, RunStatus::Succeeded, "{what}: {run:#?}");
        assert_eq!(stage.repo.read("notes.txt").as_deref(), Some("hello\n"), "{what}");
        let head = stage.repo.git(&["symbolic-ref", "HEAD"]).await.unwrap();
        assert_eq!(head, "refs/heads/main", "{what}");
        let task = "--format=%(trailers:key=Orchflow-Task,valueonly)";
        let not = format!("^{}", run.base.as_ref().unwrap());
        let told = stage.repo.git(&["log", "--no-merges", task, "main", &not]).await.unwrap();
        assert_eq!(told.trim(), run.leaves[0].task_id.to_string(), "{what}");
        assert_eq!(stage.repo.git(&["status", "--porcelain"]).await.unwrap(), "", "{what}");
        let noted = "while mover worked, the branch `elsewhere` was made at";
        assert_eq!(reason(&run).contains(noted), what == "commits elsewhere", "{run:#?}");
    }
}

#[tokio::test]
async fn an_agent_that_moves_or_deletes_what_is_the_users_is_told_of_and_nothing_of_it_is_lost() {
    let moves = "git update-ref refs/heads/main \
                 $(git -c user.name=x -c user.email=x@x commit-tree -m other HEAD^{tree})\n\
                 git branch -q -D topic\ngit tag v1\ngit stash drop -q\n\
                 echo hello > notes.txt\necho done";
    let mut stage = Stage::with(|scripts| scripts.script("mover", moves).unwrap(), "").await;
    let git = async |args: &[&str]| stage.repo.git(args).await.unwrap().trim().to_owned();
    let as_x = ["-c", "user.name=x", "-c", "user.email=x@x"];
    let main = git(&["rev-parse", "main"]).await;
    let tree = git(&["rev-parse", "main^{tree}"]).await;
    let topic = git(&[&as_x[..], &["commit-tree", "-m", "topic", &tree]].concat()).await;
    git(&["branch", "topic", &topic]).await;
    stage.repo.write("calc.py", "mine = 1\n").unwrap();
    git(&[&as_x[..], &["stash", "-q"]].concat()).await;
    let stash = git(&["rev-parse", "refs/stash"]).await;

    stage.daemon.up().await.unwrap();
    let run_id = stage.start(GOAL).await;
    let run = stage.end_of(run_id).await;
    let said = reason(&run);
    for told in ["the branch `main` moved from", "the branch `topic` was deleted"] {
        assert!(said.contains(&format!("while mover worked, {told}")), "{told}: {run:#?}");
    }
    assert!(said.contains("the tag `v1` was made") && said.contains("the stash was deleted"));
    let report = stage.run(&["runs", "report"]).await.ok().stdout;
    assert!(report.contains("the branch `main` moved from"), "{report}");
    assert!(!run.landing.as_ref().is_some_and(|landing| landing.merged), "{run:#?}");
    let saved = ["--format=%(objectname)", "refs/orchflow/saved"];
    let saved = stage.repo.git(&[&["for-each-ref"], &saved[..]].concat()).await.unwrap();
    for lost in [main, topic, stash] {
        assert!(saved.contains(&lost), "{lost} in {saved}");
    }
}

#[tokio::test]
async fn of_many_refs_that_an_agent_deletes_some_are_told_and_all_are_saved() {
    const MANY: usize = 25;
    let deletes = "git branch -q -D $(git branch --list 'many-*')\necho hello > notes.txt";
    let mut stage = Stage::with(|scripts| scripts.script("mover", deletes).unwrap(), "").await;
    let git = async |args: &[&str]| stage.repo.git(args).await.unwrap().trim().to_owned();
    let tree = git(&["rev-parse", "main^{tree}"]).await;
    let mut lost = Vec::new();
    for place in 0..MANY {
        let name = format!("many-{place}");
        let as_x = ["-c", "user.name=x", "-c", "user.email=x@x"];
        let commit = git(&[&as_x[..], &["commit-tree", "-m", &name, &tree]].concat()).await;
        git(&["branch", &name, &commit]).await;
        lost.push(commit);
    }
    stage.daemon.up().await.unwrap();
    let run_id = stage.start(GOAL).await;
    let run = stage.end_of(run_id).await;
    let notes = &run.leaves[0].notes;
    let told = notes.iter().filter(|note| note.contains("was deleted")).count();
    assert!(told < MANY && reason(&run).contains("more branches or tags changed"), "{run:#?}");
    let saved = ["--format=%(objectname)", "refs/orchflow/saved"];
    let saved = stage.repo.git(&[&["for-each-ref"], &saved[..]].concat()).await.unwrap();
    assert!(lost.iter().all(|commit| saved.contains(commit)), "{saved}");
}

/// A run whose agent waits while the user does something with git in the checkout.
async fn meanwhile(commands: &[&[&str]]) -> (Stage, Run) {
    let (repo, scripts) = (orchflow_testkit::Repo::python(true).await.unwrap(), Scripts::new());
    let scripts = scripts.unwrap();
    let done = scripts.path().join("done");
    let waits = format!(
        "touch {0}.begun\nwhile [ ! -e {0} ]; do sleep 0.05; done\necho hello > notes.txt",
        done.display()
    );
    let agents =
        [scripts.script("steady", &waits).unwrap(), scripts.audits("approver", APPROVED).unwrap()];
    let mut stage = Stage::new(repo, scripts, &agents, "");
    stage.daemon.up().await.unwrap();
    let run_id = stage.start(GOAL).await;
    orchflow_testkit::wait_until("the agent at work", || async {
        done.with_extension("begun").exists()
    })
    .await;
    for args in commands {
        stage.repo.git(args).await.unwrap();
    }
    std::fs::write(&done, "").unwrap();
    let run = stage.end_of(run_id).await;
    (stage, run)
}

#[tokio::test]
async fn a_commit_of_the_users_own_meanwhile_is_told_without_blame_and_nothing_is_saved() {
    let commit: &[&str] = &[
        "-c",
        "user.name=me",
        "-c",
        "user.email=me@x",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "mine",
    ];
    let (_stage, run) = meanwhile(&[commit]).await;
    let said = reason(&run);
    assert!(said.contains("while steady worked, the branch `main` moved from"), "{said}");
    assert!(said.contains("not by orchflow") && !said.contains("kept in"), "{said}");
}

#[tokio::test]
async fn a_result_does_not_land_on_a_branch_the_user_went_to_meanwhile() {
    let (stage, run) = meanwhile(&[&["checkout", "-q", "-b", "other"]]).await;
    let landing = run.landing.as_ref().unwrap();
    assert!(!landing.merged, "{run:#?}");
    let why = landing.reason.as_deref().unwrap();
    assert!(why.contains("`other` is checked out, the work began from `main`"), "{why}");
    assert!(
        reason(&run).contains("the checkout went from the branch `main` to the branch `other`")
    );
    assert_eq!(stage.repo.head().await.unwrap(), run.base.unwrap());
}

#[tokio::test]
async fn an_agent_that_changes_nothing_hands_over_to_the_next_of_its_chain() {
    let (repo, scripts) = (orchflow_testkit::Repo::python(true).await.unwrap(), Scripts::new());
    let scripts = scripts.unwrap();
    let agents = [
        scripts.script("idle", "echo all is well already").unwrap(),
        scripts.audits("approver", APPROVED).unwrap(),
        scripts.edits("steady", "notes.txt", "hello\n").unwrap(),
    ];
    let mut stage = Stage::new(repo, scripts, &agents, "");
    stage.daemon.up().await.unwrap();
    let roles = ["--role", "executor=idle,steady"];
    stage.run(&[&["run", "--auto-approve"], &roles[..], &[GOAL]].concat()).await.ok();
    assert_eq!(stage.repo.read("notes.txt").as_deref(), Some("hello\n"));
    let report = stage.run(&["runs", "report"]).await.ok().stdout;
    assert!(report.contains("idle gave up: it changed nothing; it said: all is well"), "{report}");
}

#[tokio::test]
async fn an_agent_that_fails_hands_over_to_the_next_of_its_chain() {
    let (repo, scripts) = (orchflow_testkit::Repo::python(true).await.unwrap(), Scripts::new());
    let scripts = scripts.unwrap();
    let agents = [
        scripts.fails("gives-up", 1).unwrap(),
        scripts.audits("approver", APPROVED).unwrap(),
        scripts.edits("steady", "notes.txt", "hello\n").unwrap(),
    ];
    let mut stage = Stage::new(repo, scripts, &agents, "");
    stage.daemon.up().await.unwrap();
    let roles = ["--role", "executor=gives-up,steady"];
    stage.run(&[&["run", "--auto-approve"], &roles[..], &[GOAL]].concat()).await.ok();
    assert_eq!(stage.repo.read("notes.txt").as_deref(), Some("hello\n"));
}

#[tokio::test]
async fn an_agent_whose_change_breaks_the_tests_is_not_merged() {
    let breaks = |scripts: &Scripts| scripts.edits("breaker", "calc.py", "broken = 1\n").unwrap();
    let (_stage, run) = one(breaks, "[run]\nmax_iterations = 1\n").await;
    assert_eq!(run.status, RunStatus::Failed, "{run:#?}");
    assert!(run.leaves[0].gates.iter().any(|gate| !gate.green()), "{run:#?}");
}
