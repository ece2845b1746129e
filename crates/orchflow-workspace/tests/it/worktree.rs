//! Worktrees: made again and again, removed only when nothing is lost.

use orchflow_types::{ErrorKind, Explain};
use orchflow_workspace::git::RefKind;

use crate::fixture::{Fixture, git, write};

#[tokio::test]
async fn adding_the_same_worktree_again_is_fine_and_another_in_its_place_is_not() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let path = fixture.beside("deep/er/w 1");
    let first = repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap();
    assert_eq!(first.root(), path);
    assert_eq!(repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap(), first);
    let error = repo.worktree_add(&path, "orchflow/b", "HEAD").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let elsewhere =
        repo.worktree_add(&fixture.beside("w2"), "orchflow/a", "HEAD").await.unwrap_err();
    assert_eq!(elsewhere.kind(), ErrorKind::Git);
    let error =
        repo.worktree_add(&fixture.beside("w3"), "orchflow/c", "no-such").await.unwrap_err();
    assert!(error.to_string().contains("no-such"), "{error}");
    write(&fixture.beside("w4"), "mine.txt", "x");
    let error = repo.worktree_add(&fixture.beside("w4"), "orchflow/d", "HEAD").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let list = repo.worktree_list().await.unwrap();
    let seen: Vec<_> = list.iter().map(|w| (w.path.clone(), w.branch.as_deref())).collect();
    assert_eq!(seen, [(fixture.root.clone(), Some("main")), (path, Some("orchflow/a"))]);
}

#[tokio::test]
async fn ten_worktrees_can_be_added_at_once() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let mut adding = tokio::task::JoinSet::new();
    for number in 0..10 {
        let (repo, path) = (repo.clone(), fixture.beside(&format!("w{number}")));
        adding.spawn(async move {
            repo.worktree_add(&path, &format!("orchflow/{number}"), "main").await.map(drop)
        });
    }
    while let Some(added) = adding.join_next().await {
        added.unwrap().unwrap();
    }
    assert_eq!(repo.worktree_list().await.unwrap().len(), 11);
}

#[tokio::test]
async fn a_worktree_that_vanished_is_made_again_on_its_branch() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let path = fixture.beside("w");
    let worktree = repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap();
    write(&path, "kept.txt", "kept\n");
    let commit = worktree.commit_all("work", &[]).await.unwrap();
    write(&path, "staged.txt", "staged\n");
    git(&path, &["add", "-A"]).await;
    std::fs::remove_dir_all(&path).unwrap();
    assert!(repo.worktree_list().await.unwrap()[1].missing);
    let again = repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap();
    assert_eq!(again.resolve("HEAD").await.unwrap(), commit);
    let saved = repo.list_saved(RefKind::Saved).await.unwrap();
    assert_eq!(saved.len(), 1, "what was staged is still there");
    let file = format!("{}:staged.txt", saved[0].commit);
    assert_eq!(fixture.git(&["show", &file]).await, "staged");
}

#[tokio::test]
async fn what_is_uncommitted_is_saved_before_a_worktree_goes() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let path = fixture.beside("w");
    repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap();
    write(&path, "a.txt", "changed\n");
    write(&path, "untracked.txt", "untracked\n");
    let name = repo.worktree_remove(&path).await.unwrap().unwrap();
    assert!(!path.exists());
    assert_eq!(repo.worktree_remove(&path).await.unwrap(), None);
    let commit = repo.restore_saved(&name, "rescued").await.unwrap();
    assert_eq!(fixture.git(&["show", &format!("{commit}:a.txt")]).await, "changed");
    assert_eq!(fixture.git(&["show", &format!("{commit}:untracked.txt")]).await, "untracked");
    assert_eq!(repo.worktree_list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn commits_in_no_other_branch_are_saved_and_merged_ones_are_not() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let path = fixture.beside("w");
    let worktree = repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap();
    write(&path, "x.txt", "x\n");
    let commit = worktree.commit_all("x", &[]).await.unwrap().unwrap();
    git(&path, &["checkout", "-q", "--detach"]).await;
    git(&path, &["commit", "-q", "--allow-empty", "-m", "loose"]).await;
    let saved = repo.worktree_remove(&path).await.unwrap().unwrap();
    let kept = repo.list_saved(RefKind::Saved).await.unwrap();
    assert_eq!((kept[0].name.as_str(), kept[0].subject.as_str()), (saved.as_str(), "loose"));

    repo.drop_ref(RefKind::Saved, &saved).await.unwrap();
    repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap();
    assert!(repo.worktree_remove(&path).await.unwrap().is_some(), "only its own branch has it");
    repo.drop_ref(RefKind::Saved, &repo.list_saved(RefKind::Saved).await.unwrap()[0].name)
        .await
        .unwrap();
    repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap();
    fixture.git(&["merge", "-q", &commit]).await;
    assert_eq!(repo.worktree_remove(&path).await.unwrap(), None);
}

#[tokio::test]
async fn a_worktree_with_a_repository_in_it_or_a_lock_on_it_stays() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let path = fixture.beside("w");
    repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap();
    git(&path, &["init", "-q", "inner"]).await;
    let error = repo.worktree_remove(&path).await.unwrap_err();
    assert!(error.to_string().contains("inner"), "{error}");
    assert!(path.join("inner/.git").is_dir());
    std::fs::remove_dir_all(path.join("inner")).unwrap();
    fixture.git(&["worktree", "lock", "--reason", "mine", path.to_str().unwrap()]).await;
    let error = repo.worktree_remove(&path).await.unwrap_err();
    assert!(error.to_string().contains("mine"), "{error}");
    fixture.git(&["worktree", "unlock", path.to_str().unwrap()]).await;
    assert_eq!(repo.worktree_remove(&path).await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_that_is_no_worktree_of_ours_is_never_removed() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    write(&fixture.beside("other"), "x.txt", "x");
    let error = repo.worktree_remove(&fixture.beside("other")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = repo.worktree_remove(&fixture.root).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(fixture.beside("other/x.txt").exists() && fixture.root.join("a.txt").exists());
}

#[tokio::test]
async fn a_replaced_git_file_in_a_worktree_steers_nothing() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let path = fixture.beside("w");
    let worktree = repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap();
    let evil = fixture.beside("evil");
    std::fs::create_dir(&evil).unwrap();
    git(&evil, &["init", "-q", "."]).await;
    write(&path, ".git", &format!("gitdir: {}/.git\n", evil.display()));
    write(&path, "a.txt", "changed\n");
    let commit = worktree.commit_all("still ours", &[]).await.unwrap();
    assert_eq!(repo.resolve("orchflow/a").await.unwrap(), commit);
    repo.worktree_add(&path, "orchflow/a", "HEAD").await.unwrap();
    assert_eq!(git(&path, &["rev-parse", "HEAD"]).await, commit.unwrap(), "the link is mended");
    write(&path, "b.txt", "unsaved\n");
    std::fs::remove_file(path.join(".git")).unwrap();
    let saved = repo.worktree_remove(&path).await.unwrap().unwrap();
    let saved = repo.restore_saved(&saved, "rescued").await.unwrap();
    assert_eq!(fixture.git(&["show", &format!("{saved}:b.txt")]).await, "unsaved");
    assert!(!path.exists() && repo.worktree_list().await.unwrap().len() == 1);
}

#[tokio::test]
async fn a_worktree_goes_with_a_clean_submodule_and_stays_with_a_changed_one() {
    let fixture = Fixture::new().await;
    let library = Fixture::new().await;
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    fixture.git(&[&add[..], &[library.root.to_str().unwrap(), "lib"]].concat()).await;
    fixture.commit("with a submodule").await;
    let repo = fixture.repo().await;
    let path = fixture.beside("w");
    repo.worktree_add(&path, "orchflow/a", "main").await.unwrap();
    let update = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init"];
    git(&path, &update).await;
    write(&path, "lib/a.txt", "changed\n");
    let error = repo.worktree_remove(&path).await.unwrap_err();
    assert!(error.to_string().contains("the submodule lib"), "{error}");
    write(&path, "lib/a.txt", "a\n");
    assert_eq!(repo.worktree_remove(&path).await.unwrap(), None);
    assert!(!path.exists());
}
