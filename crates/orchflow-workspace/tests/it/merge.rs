//! Merging: all, nothing, or the paths in conflict.

use std::path::PathBuf;

use orchflow_workspace::git::{Merge, Repo};

use crate::fixture::{Fixture, git, run, write};

/// An integration worktree, and a branch `side` that changes `a.txt` and adds `s.txt`.
async fn setup(fixture: &Fixture) -> (Repo, Repo, String) {
    let repo = fixture.repo().await;
    let into = repo.worktree_add(&fixture.beside("into"), "orchflow/run", "HEAD").await.unwrap();
    let side = repo.worktree_add(&fixture.beside("side"), "orchflow/side", "HEAD").await.unwrap();
    write(side.root(), "a.txt", "side\n");
    write(side.root(), "s.txt", "s\n");
    let commit = side.commit_all("side", &[]).await.unwrap().unwrap();
    (repo, into, commit)
}

#[tokio::test]
async fn what_nothing_else_was_merged_before_is_the_commit_itself() {
    let fixture = Fixture::new().await;
    let (_, into, commit) = setup(&fixture).await;
    let merged = into.merge(&commit, "Merge side").await.unwrap();
    assert_eq!(merged, Merge::Merged { commit, saved: None });
}

#[tokio::test]
async fn a_commit_is_merged_once_with_a_merge_commit() {
    let fixture = Fixture::new().await;
    let (repo, into, commit) = setup(&fixture).await;
    write(into.root(), "o.txt", "other\n");
    into.commit_all("other", &[]).await.unwrap();
    let merged = into.merge(&commit, "Merge side").await.unwrap();
    let Merge::Merged { commit: at, saved: None } = merged.clone() else { panic!("{merged:?}") };
    let log = repo.log(&at, 1).await.unwrap();
    assert_eq!((log[0].subject.as_str(), log[0].parents.len()), ("Merge side", 2));
    assert_eq!(into.merge(&commit, "Merge side").await.unwrap(), merged);
    assert_eq!(std::fs::read_to_string(into.root().join("s.txt")).unwrap(), "s\n");
    assert!(!into.state().await.unwrap().is_dirty());
}

#[tokio::test]
async fn a_conflict_names_its_files_and_leaves_the_worktree_as_it_was() {
    let fixture = Fixture::new().await;
    let (_, into, commit) = setup(&fixture).await;
    write(into.root(), "a.txt", "ours\n");
    let ours = into.commit_all("ours", &[]).await.unwrap();
    let conflict = into.merge(&commit, "m").await.unwrap();
    assert_eq!(conflict, Merge::Conflict { files: vec![PathBuf::from("a.txt")] });
    let state = into.state().await.unwrap();
    assert_eq!((state.head.clone(), state.operation, state.is_dirty()), (ours, None, false));
    assert!(!into.root().join("s.txt").exists());
    assert!(into.merge("no-such-commit", "m").await.is_err());
}

#[tokio::test]
async fn what_a_build_left_behind_is_saved_and_does_not_stop_a_merge() {
    let fixture = Fixture::new().await;
    let (repo, into, commit) = setup(&fixture).await;
    write(into.root(), "a.txt", "by a build\n");
    write(into.root(), "s.txt", "in the way\n");
    let merged = into.merge(&commit, "m").await.unwrap();
    let Merge::Merged { saved: Some(name), .. } = merged else { panic!("{merged:?}") };
    let saved = repo.restore_saved(&name, "saved").await.unwrap();
    assert_eq!(fixture.git(&["show", &format!("{saved}:s.txt")]).await, "in the way");
    assert_eq!(std::fs::read_to_string(into.root().join("s.txt")).unwrap(), "s\n");
}

#[tokio::test]
async fn a_merge_that_was_interrupted_is_begun_again() {
    let fixture = Fixture::new().await;
    let (_, into, commit) = setup(&fixture).await;
    write(into.root(), "b.txt", "ours\n");
    into.commit_all("ours", &[]).await.unwrap();
    git(into.root(), &["merge", "-q", "--no-commit", "--no-ff", &commit]).await;
    assert!(into.operation().is_some());
    let merged = into.merge(&commit, "again").await.unwrap();
    assert!(matches!(merged, Merge::Merged { .. }), "{merged:?}");
    assert_eq!(into.operation(), None);
    assert_eq!(run(into.root(), &["git", "status", "--short"]).await.text(), "");
}
