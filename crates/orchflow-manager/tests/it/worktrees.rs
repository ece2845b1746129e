//! Worktrees that agents work in, and may do anything to.

use std::path::{Path, PathBuf};

use orchflow_manager::git;
use orchflow_protocol::git::{
    CommitParams, DirParams, WorktreeAddParams, WorktreeAddResult, WorktreeRemoveParams,
    WorktreeResetParams, WorktreeResetResult,
};
use orchflow_types::{ErrorKind, Explain};

use crate::bed::{self, Bed, everything, repository, text, write};

#[tokio::test]
async fn a_worktree_is_made_once_and_made_again_when_an_agent_has_deleted_it() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    let made = add(&bed, &root, "task", "orchflow/t").await;
    let worktrees = bed.path().join("worktrees");
    let below = Path::new(&made.path).strip_prefix(&worktrees).unwrap().display().to_string();
    assert!(below.starts_with("repo-") && below.ends_with("/task") && below.len() == 18, "{below}");
    write(Path::new(&made.path), "new.txt", "new\n");
    let head = commit(&bed, &made.path, "k", None).await.unwrap();
    write(Path::new(&made.path), "a.txt", "under way\n");
    let again = add(&bed, &root, "task", "orchflow/t").await;
    assert_eq!(again, WorktreeAddResult { path: made.path.clone(), head: head.clone() });
    assert_eq!(read(&made.path, "a.txt"), "under way\n", "it is answered as it is");
    std::fs::remove_dir_all(&made.path).unwrap();
    let again = add(&bed, &root, "task", "orchflow/t").await;
    assert_eq!(again, WorktreeAddResult { path: made.path.clone(), head });
    assert_eq!(read(&made.path, "new.txt"), "new\n");
    for bad in ["", "a/b", "..", ".git", "-x"] {
        let error = try_add(&bed, &root, bad, "orchflow/bad").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParams, "{bad}");
    }
}

#[tokio::test]
async fn a_commit_is_made_once_under_its_key() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    let made = add(&bed, &root, "task", "orchflow/t").await;
    assert_eq!(commit(&bed, &made.path, "first", None).await, None, "nothing to commit");
    write(Path::new(&made.path), "new.txt", "new\n");
    let first = commit(&bed, &made.path, "first", None).await.unwrap();
    assert_eq!(commit(&bed, &made.path, "first", None).await.as_ref(), Some(&first));
    write(Path::new(&made.path), "more.txt", "more\n");
    assert_eq!(commit(&bed, &made.path, "first", None).await.as_ref(), Some(&first));
    let second = commit(&bed, &made.path, "second", None).await.unwrap();
    assert_eq!(bed::git(&root, &["rev-parse", "orchflow/t^"]).await, first);
    let message = bed::git(&root, &["log", "-1", "--format=%B", "orchflow/t"]).await;
    assert_eq!(message, "Work\n\nBy: agent\nOrchflow-Key: second");
    assert_eq!(reset(&bed, &made.path, None).await.key.as_deref(), Some("second"));
    assert_eq!(reset(&bed, &made.path, Some(&first)).await.key.as_deref(), Some("first"));
    assert_ne!(first, second);
}

#[tokio::test]
async fn everything_since_a_commit_is_folded_into_one_also_what_an_agent_committed() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    let made = add(&bed, &root, "task", "orchflow/t").await;
    let path = PathBuf::from(&made.path);
    write(&path, "one.txt", "1\n");
    commit(&bed, &made.path, "turn", None).await.unwrap();
    write(&path, "two.txt", "2\n");
    bed::git(&path, &["add", "-A"]).await;
    bed::git(&path, &["commit", "-q", "-m", "the agent's own"]).await;
    write(&path, "three.txt", "3\n");
    std::fs::remove_file(path.join("b.txt")).unwrap();
    let folded = commit(&bed, &made.path, "leaf", Some(&made.head)).await.unwrap();
    assert_eq!(bed::git(&root, &["rev-parse", "orchflow/t"]).await, folded);
    assert_eq!(bed::git(&root, &["rev-parse", "orchflow/t^"]).await, made.head);
    let changed = bed::git(&root, &["diff", "--name-status", &made.head, &folded]).await;
    assert_eq!(changed, "D\tb.txt\nA\tone.txt\nA\tthree.txt\nA\ttwo.txt");
    assert_eq!(bed::git(&path, &["status", "--porcelain"]).await, "");
    assert_eq!(commit(&bed, &made.path, "leaf", Some(&made.head)).await, Some(folded));
    let error = try_commit(&bed, &made.path, "x", Some("no-such")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParams);
}

#[tokio::test]
async fn an_agent_that_left_its_branch_is_brought_back_with_its_work() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    for (name, leave) in [("ahead", "HEAD"), ("detached", "--detach"), ("aside", "HEAD~1")] {
        let branch = format!("orchflow/{name}");
        let made = add(&bed, &root, name, &branch).await;
        let path = PathBuf::from(&made.path);
        write(&path, "one.txt", "1\n");
        let turn = commit(&bed, &made.path, "turn", None).await.unwrap();
        let own = format!("agents-{name}");
        match leave {
            "--detach" => bed::git(&path, &["checkout", "-q", "--detach"]).await,
            at => bed::git(&path, &["checkout", "-q", "-b", &own, at]).await,
        };
        write(&path, "two.txt", "2\n");
        bed::git(&path, &["add", "-A"]).await;
        bed::git(&path, &["commit", "-q", "-m", "elsewhere"]).await;
        write(&path, "three.txt", "3\n");
        assert_eq!(add(&bed, &root, name, &branch).await.path, made.path);
        let done = commit(&bed, &made.path, "next", None).await.unwrap();
        assert_eq!(
            bed::git(&path, &["symbolic-ref", "HEAD"]).await,
            format!("refs/heads/{branch}")
        );
        assert_eq!(bed::git(&root, &["rev-parse", &branch]).await, done);
        assert_eq!(read(&made.path, "two.txt"), "2\n");
        assert_eq!(bed::git(&path, &["show", &format!("{done}:three.txt")]).await, "3");
        bed::git(&root, &["merge-base", "--is-ancestor", &turn, &done]).await;
        assert_eq!(bed::git(&path, &["status", "--porcelain"]).await, "");
    }
}

#[tokio::test]
async fn a_reset_saves_what_would_be_lost_and_keeps_what_is_ignored() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    let made = add(&bed, &root, "task", "orchflow/t").await;
    let path = PathBuf::from(&made.path);
    assert_eq!(reset(&bed, &made.path, None).await.saved_ref, None, "there was nothing to save");
    write(&path, "a.txt", "changed\n");
    write(&path, "dir/untracked.txt", "untracked\n");
    write(&path, "build.log", "ignored\n");
    write(&made_admin(&root), "index.lock", "");
    let back = reset(&bed, &made.path, None).await;
    assert_eq!((back.head.as_str(), back.key), (made.head.as_str(), None));
    let saved = back.saved_ref.unwrap();
    assert_eq!(saved, "refs/orchflow/saved/task-saved");
    assert_eq!(bed::git(&root, &["show", &format!("{saved}:a.txt")]).await, "changed");
    assert_eq!(
        bed::git(&root, &["show", &format!("{saved}:dir/untracked.txt")]).await,
        "untracked"
    );
    assert_eq!(read(&made.path, "a.txt"), "a\n");
    assert!(!path.join("dir").exists());
    assert_eq!(read(&made.path, "build.log"), "ignored\n");
    // A second time it gets a name of its own.
    write(&path, "a.txt", "changed again\n");
    let saved = reset(&bed, &made.path, None).await.saved_ref.unwrap();
    assert_eq!(saved, "refs/orchflow/saved/task-saved-2");
}

#[tokio::test]
async fn a_reset_brings_an_agent_back_to_its_branch_and_saves_commits_nothing_holds() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    let made = add(&bed, &root, "task", "orchflow/t").await;
    let path = PathBuf::from(&made.path);
    write(&path, "kept.txt", "kept\n");
    let kept = commit(&bed, &made.path, "turn", None).await.unwrap();
    bed::git(&path, &["checkout", "-q", "--detach"]).await;
    bed::git(&path, &["commit", "-q", "--allow-empty", "-m", "loose"]).await;
    let loose = bed::git(&path, &["rev-parse", "HEAD"]).await;
    let back = reset(&bed, &made.path, None).await;
    assert_eq!((&back.head, back.key.as_deref()), (&kept, Some("turn")));
    assert_eq!(bed::git(&path, &["symbolic-ref", "HEAD"]).await, "refs/heads/orchflow/t");
    assert_eq!(bed::git(&root, &["rev-parse", &back.saved_ref.unwrap()]).await, loose);
    // Back behind its own commits: those are saved, too.
    let back = reset(&bed, &made.path, Some(&made.head)).await;
    assert_eq!(bed::git(&root, &["rev-parse", "orchflow/t"]).await, made.head);
    assert!(!path.join("kept.txt").exists());
    bed::git(&root, &["cat-file", "-e", &kept]).await;
    let held = bed::git(&root, &["for-each-ref", "--contains", &kept, "refs/orchflow"]).await;
    assert!(held.contains("refs/orchflow/saved/"), "{held:?} {back:?}");
}

#[tokio::test]
async fn a_reset_ends_a_merge_and_a_rebase_and_mends_a_replaced_git_file() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    let made = add(&bed, &root, "task", "orchflow/t").await;
    let path = PathBuf::from(&made.path);
    write(&path, "a.txt", "ours\n");
    let ours = commit(&bed, &made.path, "ours", None).await.unwrap();
    bed::git(&root, &["checkout", "-q", "-b", "theirs"]).await;
    write(&root, "a.txt", "theirs\n");
    bed::git(&root, &["commit", "-q", "-am", "theirs"]).await;
    for conflicting in ["merge", "rebase"] {
        let script = format!("git {conflicting} -q theirs || true");
        let spec = orchflow_runtime::process::Spec::new(["sh", "-c", &script], &path);
        let time = std::time::Duration::from_secs(30);
        orchflow_runtime::process::output(&spec, 1 << 20, time).await.unwrap();
        let status = git::status(bed.manager.clone(), DirParams { dir: made.path.clone() }).await;
        assert_eq!(status.unwrap().operation.as_deref(), Some(conflicting));
        std::fs::write(path.join(".git"), "gitdir: /nowhere\n").unwrap();
        assert_eq!(reset(&bed, &made.path, None).await.head, ours);
        let dir = text(&path);
        let status = git::status(bed.manager.clone(), DirParams { dir }).await.unwrap();
        assert_eq!((status.operation, status.dirty), (None, vec![]));
        assert_eq!(status.branch.as_deref(), Some("orchflow/t"));
        assert_eq!(bed::git(&path, &["rev-parse", "HEAD"]).await, ours, "git works in it again");
    }
}

#[tokio::test]
async fn the_users_own_checkouts_are_never_committed_reset_or_removed() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    add(&bed, &root, "task", "orchflow/t").await;
    let own = bed.path().join("own worktree");
    bed::git(&root, &["worktree", "add", "-q", "-b", "own", &text(&own)]).await;
    write(&root, "a.txt", "mine\n");
    write(&own, "a.txt", "mine, too\n");
    let before = (everything(&root), everything(&own));
    for dir in [&root, &own] {
        let dir = text(dir);
        let error = try_commit(&bed, &dir, "k", None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        let params = WorktreeResetParams { dir: dir.clone(), to: None, save_as: "x".into() };
        let error = git::worktree_reset(bed.manager.clone(), params).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        let error = remove(&bed, &root, &dir, None, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }
    assert_eq!((everything(&root), everything(&own)), before);
}

#[tokio::test]
async fn a_worktree_goes_with_its_branch_and_only_what_is_nowhere_else_is_saved() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    // Merged: nothing to save.
    let made = add(&bed, &root, "merged", "orchflow/m").await;
    write(Path::new(&made.path), "m.txt", "m\n");
    let merged = commit(&bed, &made.path, "k", None).await.unwrap();
    bed::git(&root, &["merge", "-q", "orchflow/m"]).await;
    for _ in 0..2 {
        let saved = remove(&bed, &root, &made.path, Some("orchflow/m"), Some("main")).await;
        assert_eq!(saved.unwrap(), None);
    }
    assert!(!Path::new(&made.path).exists());
    assert_eq!(bed::git(&root, &["branch", "--list", "orchflow/*"]).await, "");
    assert_eq!(bed::git(&root, &["rev-parse", "HEAD"]).await, merged);
    // Kept with its branch: nothing to save either.
    let made = add(&bed, &root, "kept", "orchflow/kept").await;
    write(Path::new(&made.path), "k.txt", "k\n");
    commit(&bed, &made.path, "kept", None).await.unwrap();
    assert_eq!(remove(&bed, &root, &made.path, None, None).await.unwrap(), None);
    assert_eq!(bed::git(&root, &["show", "orchflow/kept:k.txt"]).await, "k");
    // Unmerged and uncommitted: both in one saved commit.
    let made = add(&bed, &root, "lost", "orchflow/l").await;
    write(Path::new(&made.path), "l.txt", "l\n");
    commit(&bed, &made.path, "lost", None).await.unwrap();
    write(Path::new(&made.path), "u.txt", "u\n");
    let saved = remove(&bed, &root, &made.path, Some("orchflow/l"), Some("main")).await;
    let saved = saved.unwrap().unwrap();
    assert_eq!(saved, "refs/orchflow/saved/given-up");
    for (file, content) in [("l.txt", "l"), ("u.txt", "u")] {
        assert_eq!(bed::git(&root, &["show", &format!("{saved}:{file}")]).await, content);
    }
    assert_eq!(bed::git(&root, &["branch", "--list", "orchflow/l"]).await, "");
    let all = bed::git(&root, &["for-each-ref", "refs/orchflow/saved"]).await;
    assert_eq!(all.lines().count(), 1, "{all}");
    let listed = git::worktree_list(bed.manager.clone(), DirParams { dir: text(&root) }).await;
    assert_eq!(listed.unwrap().worktrees.len(), 1);
    let mended = git::worktree_repair(bed.manager.clone(), DirParams { dir: text(&root) }).await;
    assert_eq!(mended.unwrap().mended, Vec::<String>::new());
}

pub(crate) async fn add(bed: &Bed, root: &Path, name: &str, branch: &str) -> WorktreeAddResult {
    try_add(bed, root, name, branch).await.unwrap()
}

async fn try_add(
    bed: &Bed,
    root: &Path,
    name: &str,
    branch: &str,
) -> Result<WorktreeAddResult, orchflow_manager::Error> {
    let params = WorktreeAddParams {
        dir: text(root),
        name: name.to_owned(),
        branch: branch.to_owned(),
        base: "HEAD".to_owned(),
    };
    git::worktree_add(bed.manager.clone(), params).await
}

pub(crate) async fn commit(bed: &Bed, dir: &str, key: &str, onto: Option<&str>) -> Option<String> {
    try_commit(bed, dir, key, onto).await.unwrap()
}

async fn try_commit(
    bed: &Bed,
    dir: &str,
    key: &str,
    onto: Option<&str>,
) -> Result<Option<String>, orchflow_manager::Error> {
    let params = CommitParams {
        dir: dir.to_owned(),
        message: "Work".to_owned(),
        trailers: [("By".to_owned(), "agent".to_owned())].into(),
        key: key.to_owned(),
        onto: onto.map(str::to_owned),
    };
    git::commit(bed.manager.clone(), params).await.map(|result| result.commit)
}

async fn reset(bed: &Bed, dir: &str, to: Option<&str>) -> WorktreeResetResult {
    let params = WorktreeResetParams {
        dir: dir.to_owned(),
        to: to.map(str::to_owned),
        save_as: "task-saved".to_owned(),
    };
    git::worktree_reset(bed.manager.clone(), params).await.unwrap()
}

async fn remove(
    bed: &Bed,
    root: &Path,
    path: &str,
    branch: Option<&str>,
    merged_into: Option<&str>,
) -> Result<Option<String>, orchflow_manager::Error> {
    let params = WorktreeRemoveParams {
        dir: text(root),
        path: path.to_owned(),
        save_as: Some("given-up".to_owned()),
        branch: branch.map(str::to_owned),
        merged_into: merged_into.map(str::to_owned),
    };
    git::worktree_remove(bed.manager.clone(), params).await.map(|result| result.saved_ref)
}

/// Git's own folder for the one worktree of a repository.
fn made_admin(root: &Path) -> PathBuf {
    root.join(".git/worktrees/task")
}

fn read(dir: &str, name: &str) -> String {
    std::fs::read_to_string(Path::new(dir).join(name)).unwrap()
}
