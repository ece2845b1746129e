//! Git killed at random instants of `worktree add`: after a repair the next add works.

use std::time::Duration;

use orchflow_runtime::clock::Stopwatch;
use orchflow_runtime::process::{self, Spec};
use orchflow_workspace::git::Repo;

use crate::fixture::{Fixture, git, write};

fn rounds() -> u32 {
    orchflow_runtime::env::var("ORCHFLOW_KILL_ROUNDS").and_then(|n| n.parse().ok()).unwrap_or(40)
}

/// Starts a bare `git worktree add` and kills it and its children after a while; answers
/// whether it came before the end.
async fn killed(fixture: &Fixture, path: &str, branch: &str, after: Duration) -> bool {
    let argv = ["git", "worktree", "add", "--no-track", "-b", branch, path, "HEAD"];
    let mut spec = Spec::new(argv, &fixture.root);
    spec.mark = format!("kill-test-{}-{branch}", std::process::id());
    let mut child = process::spawn(&spec).unwrap();
    let ended = tokio::time::timeout(after, child.exit.wait()).await.is_ok();
    process::sweep(&spec.mark);
    // It may be anyone's, and only tells that it is dead once the machine was started again.
    let _ = std::fs::remove_file(fixture.root.join(".git/packed-refs.lock"));
    child.exit.wait().await.signal.is_some() && !ended
}

async fn is_whole(repo: &Repo, worktree: &Repo, files: usize) {
    let state = worktree.state().await.unwrap();
    assert_eq!(state.entries, [], "{:?}", worktree.root());
    assert_eq!(state.head, repo.resolve("HEAD").await.unwrap());
    let listed = git(worktree.root(), &["ls-files"]).await;
    assert_eq!(listed.lines().count(), files);
}

#[tokio::test]
async fn after_a_kill_at_any_instant_a_repair_makes_the_next_add_work() {
    let fixture = Fixture::new().await;
    for number in 0..150 {
        fixture.write(&format!("many/{number}.txt"), &"line\n".repeat(100));
    }
    fixture.commit("many").await;
    let repo = fixture.repo().await;
    let within = fixture.beside("trees");
    let mine = fixture.beside("mine");
    let own = repo.worktree_add(&mine, "my-own", "HEAD").await.unwrap();
    write(&mine, "work.txt", "unsaved\n");
    let (mut kills, mut unaided) = (0, 0);
    let mut whole = Duration::from_millis(20);
    let mut round = 0;
    // A kill that comes too late is no round; on a loaded machine some do.
    while kills < rounds() && round < 4 * rounds() {
        round += 1;
        let name = format!("w{round}");
        let (path, branch) = (within.join(&name), format!("orchflow/{name}"));
        // Spread evenly over the time a whole add took last, so that every stage is met.
        let after = whole * (round % 40) / 40;
        if killed(&fixture, path.to_str().unwrap(), &branch, after).await {
            kills += 1;
        }
        // A daemon that starts repairs first; one that goes on adds again, and repairs when
        // the kill left a lock that only a start may take away.
        if round % 2 == 0 {
            repo.worktree_repair(&within).await.unwrap();
        } else if repo.worktree_add(&path, &branch, "HEAD").await.is_ok() {
            unaided += 1;
        } else {
            repo.worktree_repair(&within).await.unwrap();
        }
        let worktree = repo.worktree_add(&path, &branch, "HEAD").await.unwrap();
        if round % 8 == 1 {
            let watch = Stopwatch::start();
            let timed = within.join(format!("t{round}"));
            repo.worktree_add(&timed, &format!("orchflow/t{round}"), "HEAD").await.unwrap();
            whole = watch.elapsed();
        }
        is_whole(&repo, &worktree, 154).await;
    }
    assert_eq!(kills, rounds(), "too few of {round} adds were killed in time");
    assert!(unaided > round / 3, "only {unaided} of {round} adds worked without a repair");
    assert_eq!(own.status().await.unwrap().len(), 1, "a worktree elsewhere is left alone");
    assert_eq!(repo.worktree_repair(&within).await.unwrap(), Default::default());
}

#[tokio::test]
async fn locks_of_dead_calls_go_from_our_worktrees_and_branches_only() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let within = fixture.beside("trees");
    let worktree = repo.worktree_add(&within.join("w"), "orchflow/w", "HEAD").await.unwrap();
    let ours = [
        worktree.git_dir().join("index.lock"),
        fixture.root.join(".git/refs/heads/orchflow/w.lock"),
    ];
    let theirs =
        [fixture.root.join(".git/index.lock"), fixture.root.join(".git/refs/heads/main.lock")];
    for path in ours.iter().chain(&theirs) {
        std::fs::write(path, "").unwrap();
    }
    let mut repaired = repo.worktree_repair(&within).await.unwrap();
    repaired.unlocked.sort();
    let mut expected = ours.to_vec();
    expected.sort();
    assert_eq!((repaired.unlocked, repaired.removed), (expected, vec![]));
    assert!(theirs.iter().all(|path| path.exists()));
}

#[tokio::test]
async fn locks_of_the_whole_repository_go_when_whoever_had_them_ended_with_the_machine() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let lock = |name: &str| {
        let path = fixture.root.join(".git").join(name);
        (std::fs::File::create(&path).unwrap(), path)
    };
    let ((before, dead), (_, alive)) = (lock("packed-refs.lock"), lock("index.lock"));
    before.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let repaired = repo.worktree_repair(&fixture.beside("trees")).await.unwrap();
    assert_eq!(repaired.unlocked, [dead]);
    assert!(alive.exists());
}
