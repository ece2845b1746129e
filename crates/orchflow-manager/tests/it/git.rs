//! What is done to the user's repository and checkout.

use std::path::Path;

use orchflow_manager::git;
use orchflow_protocol::git::{
    DiffParams, DirParams, DirtyPath, LandParams, MergeParams, RescueParams, SaveRefParams,
    SnapshotParams,
};
use orchflow_types::{ErrorKind, Explain};

use crate::bed::{self, Bed, everything, repository, text, write};
use crate::worktrees::{add, commit};

#[tokio::test]
async fn status_and_diff_tell_of_untracked_files_and_change_nothing() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    write(&root, "a.txt", "changed\n");
    write(&root, "new.txt", "ä\n");
    bed::git(&root, &["add", "a.txt"]).await;
    let before = everything(&root);
    let dir = text(&root);
    let status = git::status(bed.manager.clone(), DirParams { dir: dir.clone() }).await.unwrap();
    assert_eq!((status.branch.as_deref(), status.operation), (Some("main"), None));
    let dirty = |path: &str, code: &str| DirtyPath { path: path.into(), code: code.into() };
    assert_eq!(status.dirty, [dirty("a.txt", "M "), dirty("new.txt", "??")]);
    let diff = |limit| {
        let dir = dir.clone();
        git::diff(bed.manager.clone(), DiffParams { dir, base: "HEAD".into(), head: None, limit })
    };
    let whole = diff(None).await.unwrap();
    assert_eq!(whole.files, ["a.txt", "new.txt"]);
    assert!(whole.patch.contains("+changed") && whole.patch.contains("+ä"), "{}", whole.patch);
    assert!(!whole.truncated);
    let cut = diff(Some(20)).await.unwrap();
    assert!(cut.truncated && whole.patch.starts_with(&cut.patch) && cut.patch.len() == 20);
    assert_eq!(cut.files.len(), 2);
    let params = SnapshotParams { dir: dir.clone(), message: "as it is".into() };
    let commit = git::snapshot(bed.manager.clone(), params).await.unwrap().commit.unwrap();
    assert_eq!(bed::git(&root, &["show", &format!("{commit}:new.txt")]).await, "ä");
    assert_eq!(everything(&root), before);
    let nowhere = git::status(bed.manager.clone(), DirParams { dir: text(&bed.path()) }).await;
    assert_eq!(nowhere.unwrap_err().kind(), ErrorKind::NoRepository);
}

#[tokio::test]
async fn landing_moves_the_branch_or_touches_nothing_when_a_path_is_dirty() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    let worktree = add(&bed, &root, "task", "orchflow/run").await;
    write(Path::new(&worktree.path), "a.txt", "result\n");
    let result = commit(&bed, &worktree.path, "k", None).await.unwrap();
    let land = || {
        let params = LandParams { dir: text(&root), branch: "orchflow/run".into(), onto: None };
        git::land(bed.manager.clone(), params)
    };
    write(&root, "a.txt", "mine\n");
    let before = everything(&root);
    let refused = land().await.unwrap();
    assert!(!refused.merged && refused.reason.unwrap().contains("a.txt"));
    assert_eq!(
        refused.command.unwrap(),
        format!("git -C {} merge --autostash orchflow/run", root.display())
    );
    assert_eq!(everything(&root), before);
    bed::git(&root, &["checkout", "-q", "--", "a.txt"]).await;
    write(&root, "b.txt", "mine, elsewhere\n");
    for _ in 0..2 {
        let landed = land().await.unwrap();
        assert_eq!((landed.merged, landed.into.as_deref()), (true, Some("main")));
    }
    assert_eq!(bed::git(&root, &["rev-parse", "HEAD"]).await, result);
    assert_eq!(std::fs::read_to_string(root.join("b.txt")).unwrap(), "mine, elsewhere\n");
}

#[tokio::test]
async fn a_merge_brings_both_together_or_names_the_conflict_and_changes_nothing() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    let (one, two) = (add(&bed, &root, "1", "one").await, add(&bed, &root, "2", "two").await);
    let three = add(&bed, &root, "3", "three").await;
    for (worktree, file) in [(&one, "a.txt"), (&two, "b.txt"), (&three, "a.txt")] {
        write(Path::new(&worktree.path), file, &worktree.path);
        commit(&bed, &worktree.path, &worktree.path, None).await.unwrap();
    }
    let merge = |commit: &str| {
        let (dir, commit) = (one.path.clone(), commit.to_owned());
        git::merge(bed.manager.clone(), MergeParams { dir, commit, message: "both".into() })
    };
    let merged = merge("two").await.unwrap();
    assert!(merged.commit.is_some() && merged.conflicts.is_empty());
    let conflict = merge("three").await.unwrap();
    assert_eq!((conflict.commit, conflict.conflicts), (None, vec!["a.txt".to_owned()]));
    let status = git::status(bed.manager.clone(), DirParams { dir: one.path.clone() }).await;
    let status = status.unwrap();
    assert_eq!((Some(status.head), status.dirty), (merged.commit, vec![]));
    let params =
        MergeParams { dir: text(&root), commit: "two".into(), message: "into main".into() };
    let error = git::merge(bed.manager.clone(), params).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn saved_work_is_listed_and_comes_back_as_a_branch() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    let dir = text(&root);
    let commit = bed::git(&root, &["rev-parse", "HEAD"]).await;
    let save = |unless_in: Option<&str>| {
        let (dir, commit) = (dir.clone(), commit.clone());
        let unless_in = unless_in.map(str::to_owned);
        let params = SaveRefParams { dir, name: "mine".into(), commit, unless_in };
        git::save_ref(bed.manager.clone(), params)
    };
    assert_eq!(save(Some("HEAD")).await.unwrap().saved_ref, None, "it is not lost");
    assert_eq!(save(None).await.unwrap().saved_ref.unwrap(), "refs/orchflow/saved/mine");
    let rescue = |restore: Option<&str>| {
        let params = RescueParams { dir: dir.clone(), restore: restore.map(str::to_owned) };
        git::rescue(bed.manager.clone(), params)
    };
    let listed = rescue(None).await.unwrap();
    assert_eq!((listed.saved[0].name.as_str(), listed.branch), ("mine", None));
    assert_eq!((&listed.saved[0].commit, listed.saved[0].subject.as_str()), (&commit, "first"));
    for name in ["mine", "refs/orchflow/saved/mine"] {
        let restored = rescue(Some(name)).await.unwrap();
        assert_eq!(restored.branch.as_deref(), Some("rescue/mine"));
    }
    assert_eq!(bed::git(&root, &["rev-parse", "rescue/mine"]).await, commit);
    assert_eq!(rescue(Some("other")).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn refs_are_those_of_people_and_what_is_checked_out() {
    let bed = Bed::new();
    let root = repository(&bed).await;
    add(&bed, &root, "task", "orchflow/run").await;
    bed::git(&root, &["tag", "v1"]).await;
    let refs = || git::refs(bed.manager.clone(), DirParams { dir: text(&root) });
    let seen = refs().await.unwrap();
    let head = bed::git(&root, &["rev-parse", "HEAD"]).await;
    assert_eq!((seen.branch.as_deref(), &seen.head), (Some("main"), &head));
    assert_eq!(seen.refs.keys().collect::<Vec<_>>(), ["refs/heads/main", "refs/tags/v1"]);
    assert!(seen.refs.values().all(|at| *at == head));
    write(&root, "a.txt", "mine\n");
    bed::git(&root, &["stash", "-q"]).await;
    bed::git(&root, &["checkout", "-q", "--detach"]).await;
    let seen = refs().await.unwrap();
    assert_eq!((seen.branch, seen.refs.contains_key("refs/stash")), (None, true));
}
