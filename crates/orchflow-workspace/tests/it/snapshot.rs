//! Snapshots nobody notices, and commits as their owner would make them.

use orchflow_workspace::git::{RefKind, Repo};

use crate::fixture::{Fixture, git, run, write};

async fn listed(fixture: &Fixture, commit: &str) -> Vec<String> {
    let text = fixture.git(&["ls-tree", "-r", "--name-only", commit]).await;
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_snapshot_holds_everything_and_touches_nothing() {
    let fixture = Fixture::new().await;
    fixture.write("a.txt", "stashed\n");
    fixture.git(&["stash", "-q"]).await;
    fixture.write("a.txt", "staged\n");
    fixture.git(&["add", "a.txt"]).await;
    fixture.write("a.txt", "later\n");
    fixture.write("new/deep.txt", "new\n");
    fixture.write("x.log", "ignored\n");
    std::fs::remove_file(fixture.root.join("b.txt")).unwrap();
    let repo = fixture.repo().await;
    let before = fixture.everything();
    let commit = repo.snapshot("as it is").await.unwrap();
    assert_eq!(fixture.everything(), before);
    assert_eq!(
        listed(&fixture, &commit).await,
        [".gitignore", "a.txt", "dir/c.txt", "new/deep.txt"]
    );
    assert_eq!(fixture.git(&["show", &format!("{commit}:a.txt")]).await, "later");
    assert_eq!(
        repo.resolve(&format!("{commit}^")).await.unwrap(),
        repo.resolve("HEAD").await.unwrap()
    );
    assert!(fixture.git(&["log", "-1", "--format=%an", &commit]).await == "Ada");
}

#[tokio::test]
async fn a_snapshot_of_a_clean_tree_is_head_and_one_in_the_middle_of_a_merge_is_whole() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    assert_eq!(repo.snapshot("s").await.unwrap(), repo.head().await.unwrap());
    fixture.git(&["checkout", "-q", "-b", "side"]).await;
    fixture.write("a.txt", "side\n");
    fixture.commit("side").await;
    fixture.git(&["checkout", "-q", "main"]).await;
    fixture.write("a.txt", "main\n");
    fixture.commit("main").await;
    run(&fixture.root, &["git", "merge", "side"]).await;
    let before = fixture.everything();
    let commit = repo.snapshot("s").await.unwrap();
    assert_eq!(fixture.everything(), before);
    assert!(fixture.git(&["show", &format!("{commit}:a.txt")]).await.contains("<<<<<<<"));
    let error = repo.commit_all("m", &[]).await.unwrap_err();
    assert!(error.to_string().starts_with("a.txt in "), "{error}");
}

#[tokio::test]
async fn a_change_in_the_same_instant_as_the_index_is_in_the_snapshot() {
    // Git cannot tell such a file by its times; a copied index must not look younger.
    for round in 0..10 {
        let fixture = Fixture::new().await;
        fixture.write("a.txt", "1\n");
        fixture.git(&["add", "a.txt"]).await;
        fixture.write("a.txt", "2\n");
        let repo = fixture.repo().await;
        let commit = repo.snapshot("s").await.unwrap();
        assert_eq!(fixture.git(&["show", &format!("{commit}:a.txt")]).await, "2", "round {round}");
    }
}

#[tokio::test]
async fn a_repository_without_a_commit_can_be_snapshot_and_one_inside_is_left_out() {
    let fixture = Fixture::empty().await;
    fixture.write("a.txt", "a\n");
    fixture.git(&["init", "-q", "inner[1]"]).await;
    fixture.write("inner[1]/x.txt", "x\n");
    let commit = fixture.repo().await.snapshot("s").await.unwrap();
    assert_eq!(listed(&fixture, &commit).await, ["a.txt"]);
}

#[tokio::test]
async fn everything_is_committed_with_trailers_and_nothing_is_no_commit() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let path = fixture.beside("w");
    let worktree = repo.worktree_add(&path, "orchflow/t", "HEAD").await.unwrap();
    assert_eq!(worktree.commit_all("m", &[]).await.unwrap(), None);
    write(&path, "new.txt", "new\n");
    write(&path, "a.txt", "changed\n");
    let trailers = [("Orchflow-Run".to_owned(), "run_1".to_owned())];
    let commit = worktree.commit_all("Do it\n\nWhy.", &trailers).await.unwrap().unwrap();
    assert_eq!(repo.resolve("orchflow/t").await.unwrap(), Some(commit.clone()));
    let message = fixture.git(&["log", "-1", "--format=%an%n%B", &commit]).await;
    assert_eq!(message, "Ada\nDo it\n\nWhy.\n\nOrchflow-Run: run_1");
    assert_eq!(worktree.commit_all("m", &[]).await.unwrap(), None);
    assert_eq!(repo.list_saved(RefKind::Saved).await.unwrap(), []);
}

#[tokio::test]
async fn a_user_without_a_name_gets_ours() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "-b", "main"]).await;
    let nameless = !run(dir.path(), &["git", "config", "user.email"]).await.status.success();
    write(dir.path(), "a.txt", "a\n");
    let repo = Repo::open(dir.path()).await.unwrap();
    let commit = repo.commit_all("first", &[]).await.unwrap().unwrap();
    let author = git(dir.path(), &["log", "-1", "--format=%an <%ae>", &commit]).await;
    assert_eq!(author == "orchflow <orchflow@localhost>", nameless, "{author}");
}
