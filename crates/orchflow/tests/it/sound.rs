//! The chain that crashes are tried on, and what must hold when a run has ended, however
//! often the daemon died on the way.

use std::collections::BTreeSet;
use std::time::Duration;

use orchflow::places::{Given, Places};
use orchflow_protocol::events::{Filter, List, ListParams};
use orchflow_runtime::process::{self, Spec};
use orchflow_testkit::{Repo, Scripts, TestDaemon, wait_until};
use orchflow_types::EventType;
use orchflow_types::run::{Run, RunStatus};

use crate::stage::Stage;

/// Appends a line to the file it is told to work on, and to a record outside of git, so that
/// a turn that was taken twice is seen in both; mends by one more line. The file is named in
/// the task as `FILE.txt`.
const WORKER: &str = r#"
file=$(printf %s "$1" | grep -o '[a-z]*\.txt' | head -1)
case $1 in
*"worked on already"*) word=mended ;;
*) word=worked ;;
esac
echo "$file $word" >> "$(dirname "$0")/turns"
echo "$word" >> "$file"
echo "I have $word on $file"
"#;

/// Refuses what was not mended. It keeps nothing in mind, so it says the same when asked again.
const AUDITOR: &str = r#"
file=$(printf %s "$1" | grep -o '[a-z]*\.txt' | head -1)
echo "$file audited" >> "$(dirname "$0")/turns"
if grep -q mended "$file"; then
  echo '{"verdict":"APPROVED","findings":[]}'
else
  echo '{"verdict":"NEEDS_WORK","findings":[{"severity":"error","message":"mend it"}]}'
fi
"#;

/// What each file comes to when every turn has had its effect exactly once.
const DONE: &str = "begun\nworked\nmended\n";

/// The stage of a chain: an executor, a refusal, a fix, an approval, gates between them.
pub(crate) async fn chain() -> Stage {
    let repo = Repo::python(true).await.unwrap();
    for file in ["first.txt", "second.txt"] {
        repo.write(file, "begun\n").unwrap();
    }
    repo.commit("Files to work on").await.unwrap();
    let scripts = Scripts::new().unwrap();
    let agents =
        [scripts.script("worker", WORKER).unwrap(), scripts.script("auditor", AUDITOR).unwrap()];
    Stage::new(repo, scripts, &agents, "")
}

/// Turns that were begun on a file, in order.
pub(crate) fn turns(stage: &Stage, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(stage.scripts.path().join("turns")).unwrap_or_default();
    let of_file = |line: &str| line.strip_prefix(&format!("{file} ")).map(str::to_owned);
    text.lines().filter_map(of_file).collect()
}

/// Asserts everything that must hold of a run of the chain that has ended, `base` being the
/// commit it began from.
pub(crate) async fn assert_sound(stage: &Stage, run: &Run, base: &str, files: &[&str]) {
    let log = format!("{run:#?}\n{}\n{}", history(stage).await, stage.daemon.log());
    assert_eq!(run.status, RunStatus::Succeeded, "{log}");
    assert!(run.landing.as_ref().is_some_and(|landing| landing.merged), "{log}");
    assert_eq!(finished(stage, run).await, 1, "the end of a run is told once\n{log}");
    for file in files {
        assert_eq!(stage.repo.read(file).as_deref(), Some(DONE), "{file}\n{log}");
    }
    commits(stage, run, base, files.len()).await;
    assert_eq!(stage.leavings().await, Vec::<String>::new(), "{log}");
    assert_eq!(stage.worktrees(), Vec::<String>::new(), "{log}");
    checkout(stage).await;
    database(stage).await;
    no_process(&stage.daemon).await;
}

/// What git knows of what was made, for a message of failure.
async fn history(stage: &Stage) -> String {
    let log =
        ["log", "--all", "--graph", "--stat", "--format=%h %p%d %s %(trailers:key=Orchflow-Key)"];
    let (log, status) = (stage.repo.git(&log).await, stage.repo.git(&["status", "--short"]).await);
    let mut turns = Vec::new();
    for file in ["first.txt", "second.txt"] {
        turns.push(format!("{file}: {}", self::turns(stage, file).join(", ")));
    }
    format!("{}\n{}\n{}", log.unwrap(), status.unwrap(), turns.join("\n"))
}

async fn finished(stage: &Stage, run: &Run) -> usize {
    let client = stage.daemon.client().await.unwrap();
    let about = Some(run.run_id.to_string());
    let filter = Filter { types: vec![EventType::RunFinished], about };
    let params = ListParams { filter, ..ListParams::default() };
    client.call::<List>(params).await.unwrap().events.len()
}

/// One commit for each leaf, which says where it came from, and nothing else but merges.
async fn commits(stage: &Stage, run: &Run, base: &str, leaves: usize) {
    let range = format!("{base}..main");
    let trailers = "--format=%(trailers:key=Orchflow-Task,valueonly,separator=%x20)";
    let told = stage.repo.git(&["log", "--no-merges", trailers, &range]).await.unwrap();
    let told: Vec<&str> = told.lines().collect();
    let wanted: BTreeSet<String> = run.leaves.iter().map(|leaf| leaf.task_id.to_string()).collect();
    assert_eq!(told.len(), leaves, "{told:?}");
    assert_eq!(told.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), wanted);
}

async fn checkout(stage: &Stage) {
    let repo = &stage.repo;
    assert_eq!(repo.git(&["status", "--porcelain"]).await.unwrap(), "");
    assert_eq!(repo.git(&["symbolic-ref", "HEAD"]).await.unwrap(), "refs/heads/main");
    assert_eq!(repo.git(&["stash", "list"]).await.unwrap(), "");
    repo.git(&["fsck", "--no-dangling", "--no-progress"]).await.unwrap();
    let locks = ["index.lock", "HEAD.lock", "MERGE_HEAD"].map(|name| format!(".git/{name}"));
    for lock in locks {
        assert!(!repo.path().join(&lock).exists(), "{lock} was left behind");
    }
}

/// The database by another program than ours.
async fn database(stage: &Stage) {
    let check = "import sqlite3, sys\n\
                 print(sqlite3.connect(sys.argv[1]).execute('pragma quick_check').fetchone()[0])";
    let file = stage.daemon.path().join("state.db");
    let argv = ["python3".into(), "-c".into(), check.into(), file.into_os_string()];
    let spec = Spec::new(argv, "/");
    let said = process::output(&spec, 1 << 16, Duration::from_secs(60)).await.unwrap();
    assert_eq!(said.text(), "ok", "{}", said.error_text());
}

/// Waits until no process is left that a daemon of this home had started.
pub(crate) async fn no_process(daemon: &TestDaemon) {
    let home = Some(daemon.path().to_owned());
    let places = Places::from(&Given { orchflow_home: home, ..Given::default() }).unwrap();
    let mark = format!("ORCHFLOW_MARK={}", places.mark());
    wait_until("the end of every process with our mark", || async { marked(&mark).is_empty() })
        .await;
}

fn marked(mark: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let carries = |path: &std::path::Path| {
        let environ = std::fs::read(path.join("environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|entry| entry.starts_with(mark.as_bytes()))
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| carries(path))
        .map(|path| path.display().to_string())
        .collect()
}
