//! Commits that are made once, and worktrees that are taken back.

use orchflow_types::{ErrorKind, Explain};
use orchflow_workspace::git::{KeyedCommit, Repo};

use crate::fixture::{Fixture, git, write};

const COMMIT: KeyedCommit<'_> =
    KeyedCommit { message: "Subject\n\nBody", trailers: &[], key: "a  key\n1", onto: None };

#[tokio::test]
async fn a_key_is_found_again_in_a_message_whatever_else_is_in_it() {
    let fixture = Fixture::new().await;
    let worktree = fixture
        .repo()
        .await
        .worktree_add(&fixture.beside("w"), "orchflow/w", "HEAD")
        .await
        .unwrap();
    write(worktree.root(), "x.txt", "x\n");
    let trailers =
        [("Orchflow-Key".to_owned(), "forged".to_owned()), ("By".to_owned(), "me".to_owned())];
    let message = "Subject: with colon\n\nOrchflow-Key: forged";
    let commit = KeyedCommit { message, trailers: &trailers, ..COMMIT };
    let made = worktree.commit_keyed(commit).await.unwrap().unwrap();
    assert_eq!(worktree.key_of(&made).await.unwrap().as_deref(), Some("a key 1"));
    assert_eq!(worktree.commit_keyed(commit).await.unwrap(), Some(made));
    assert_eq!(worktree.key_of("main").await.unwrap(), None);
}

#[tokio::test]
async fn a_conflict_is_not_committed_and_a_solved_one_ends_the_merge() {
    let fixture = Fixture::new().await;
    let path = fixture.beside("w");
    let worktree = fixture.repo().await.worktree_add(&path, "orchflow/w", "HEAD").await.unwrap();
    write(&path, "a.txt", "ours\n");
    worktree.commit_all("ours", &[]).await.unwrap();
    fixture.write("a.txt", "theirs\n");
    fixture.commit("theirs").await;
    let merge = crate::fixture::run(&path, &["git", "merge", "-q", "main"]).await;
    assert!(!merge.status.success());
    let error = worktree.commit_keyed(COMMIT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    write(&path, "a.txt", "both\n");
    git(&path, &["add", "a.txt"]).await;
    let made = worktree.commit_keyed(COMMIT).await.unwrap().unwrap();
    assert_eq!(worktree.operation(), None);
    assert_eq!(git(&path, &["show", &format!("{made}:a.txt")]).await, "both");
    git(&path, &["merge-base", "--is-ancestor", "main", &made]).await;
    assert_eq!(git(&path, &["status", "--porcelain"]).await, "");
}

#[tokio::test]
async fn the_main_checkout_is_never_reset() {
    let fixture = Fixture::new().await;
    fixture.write("a.txt", "mine\n");
    let before = fixture.everything();
    let error = fixture.repo().await.reset(None, "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(fixture.everything(), before);
}

#[tokio::test]
async fn a_worktree_is_opened_without_a_look_into_it() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let path = fixture.beside("w");
    let worktree = repo.worktree_add(&path, "orchflow/w", "HEAD").await.unwrap();
    write(&path, ".git", "gitdir: /nowhere\n");
    assert_eq!(Repo::of(repo.common_dir(), &path).unwrap(), worktree);
    assert_eq!(worktree.own_branch().as_deref(), Some("orchflow/w"));
    let error = Repo::of(repo.common_dir(), &fixture.beside("other")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = Repo::of(&fixture.beside("nowhere"), &path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRepository);
}
