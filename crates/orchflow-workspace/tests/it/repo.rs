//! Opening, state, diffs, the log, branches, excludes.

use std::path::PathBuf;

use orchflow_types::{ErrorKind, Explain};
use orchflow_workspace::git::{DiffTo, EntryKind, Operation, RefKind, Repo};

use crate::fixture::{Fixture, git, run};

#[tokio::test]
async fn a_repository_is_found_from_a_folder_in_it_and_missing_ones_are_told_apart() {
    let fixture = Fixture::new().await;
    let repo = Repo::open(&fixture.root.join("dir")).await.unwrap();
    assert_eq!(repo.root(), fixture.root);
    assert_eq!(repo.git_dir(), fixture.root.join(".git"));

    let kind = |error: orchflow_workspace::Error| error.kind();
    let nowhere = tempfile::tempdir().unwrap();
    let error = Repo::open(nowhere.path()).await.unwrap_err();
    assert!(error.hint().unwrap().contains("git init"), "{error:?}");
    assert_eq!(kind(error), ErrorKind::NoRepository);
    git(nowhere.path(), &["init", "-q", "--bare", "."]).await;
    assert_eq!(kind(Repo::open(nowhere.path()).await.unwrap_err()), ErrorKind::BareRepository);
    let gone = Repo::open(&nowhere.path().join("gone")).await.unwrap_err();
    assert_eq!(kind(gone), ErrorKind::File);

    let empty = Fixture::empty().await;
    let repo = empty.repo().await;
    assert_eq!(kind(repo.head().await.unwrap_err()), ErrorKind::EmptyRepository);
    assert_eq!(repo.state().await.unwrap().head, None);
}

#[tokio::test]
async fn the_state_names_head_branch_operation_and_every_entry() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let clean = repo.state().await.unwrap();
    assert_eq!(clean.branch.as_deref(), Some("main"));
    assert_eq!(clean.head, Some(repo.head().await.unwrap()));
    assert!(!clean.is_dirty() && clean.operation.is_none());

    fixture.write("a.txt", "changed\n");
    fixture.write("new name.txt", "new\n");
    fixture.write("x.log", "ignored\n");
    fixture.write("b.txt", "staged\n");
    fixture.git(&["add", "b.txt"]).await;
    fixture.git(&["init", "-q", "inner"]).await;
    let entries = repo.status().await.unwrap();
    let seen: Vec<_> =
        entries.iter().map(|e| (e.path.to_str().unwrap(), e.kind, e.staged)).collect();
    let expected = [
        ("a.txt", EntryKind::Modified, false),
        ("b.txt", EntryKind::Modified, true),
        ("inner", EntryKind::NestedRepository, false),
        ("new name.txt", EntryKind::Untracked, false),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_rebase_and_a_merge_under_way_are_seen() {
    let fixture = Fixture::new().await;
    fixture.git(&["checkout", "-q", "-b", "side"]).await;
    fixture.write("a.txt", "side\n");
    fixture.commit("side").await;
    fixture.git(&["checkout", "-q", "main"]).await;
    fixture.write("a.txt", "main\n");
    fixture.commit("main").await;
    let repo = fixture.repo().await;
    for (verb, operation) in [
        ("merge", Operation::Merge),
        ("rebase", Operation::Rebase),
        ("cherry-pick", Operation::CherryPick),
    ] {
        assert!(!run(&fixture.root, &["git", verb, "side"]).await.status.success());
        assert_eq!(repo.state().await.unwrap().operation, Some(operation));
        fixture.git(&[verb, "--abort"]).await;
    }
    assert_eq!(repo.operation(), None);
}

#[tokio::test]
async fn diffs_name_what_changed_and_take_paths_letter_by_letter() {
    let fixture = Fixture::new().await;
    let first = fixture.repo().await.head().await.unwrap();
    fixture.write("a.txt", "two\n");
    fixture.write("*.txt", "star\n");
    let second = fixture.commit("second").await;
    let repo = fixture.repo().await;
    let changes = repo.changes(&first, DiffTo::Revision(&second)).await.unwrap();
    let seen: Vec<_> = changes.iter().map(|c| (c.status, c.path.to_str().unwrap())).collect();
    assert_eq!(seen, [('A', "*.txt"), ('M', "a.txt")]);
    let paths = [PathBuf::from("*.txt")];
    let diff = repo.diff(&first, DiffTo::Revision(&second), &paths, false).await.unwrap();
    assert!(diff.text.contains("+star") && !diff.text.contains("+two"), "{}", diff.text);
    fixture.write("b.txt", "edited\n");
    let diff = repo.diff("HEAD", DiffTo::WorkingTree, &[], true).await.unwrap();
    assert!(diff.text.contains("b.txt") && diff.text.contains("1 file changed"), "{}", diff.text);
    let error = repo.diff("--output=x", DiffTo::WorkingTree, &[], true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParams);
    let error = repo.diff("no-such", DiffTo::WorkingTree, &[], true).await.unwrap_err();
    assert!(error.to_string().contains("could not compare two states in"), "{error}");
}

#[tokio::test]
async fn the_log_tells_commits_with_author_subject_and_body() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let first = repo.head().await.unwrap();
    fixture.write("a.txt", "2\n");
    let second = fixture.commit("Subject\n\nBody\n\nKey: value").await;
    let log = repo.log(&format!("{first}..HEAD"), 10).await.unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!((&log[0].id, &log[0].parents), (&second, &vec![first.clone()]));
    assert_eq!(log[0].author, "Ada <ada@example.org>");
    assert_eq!((log[0].subject.as_str(), log[0].body.as_str()), ("Subject", "Body\n\nKey: value"));
    assert!(repo.is_ancestor(&first, &second).await.unwrap());
    assert!(!repo.is_ancestor(&second, &first).await.unwrap());
}

#[tokio::test]
async fn a_branch_is_made_once_and_its_commits_are_saved_when_it_goes() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let head = repo.head().await.unwrap();
    repo.branch_create("orchflow/x", "HEAD").await.unwrap();
    repo.branch_create("orchflow/x", &head).await.unwrap();
    fixture.git(&["checkout", "-q", "orchflow/x"]).await;
    let work = fixture.commit("work").await;
    fixture.git(&["checkout", "-q", "main"]).await;
    let error = repo.branch_create("orchflow/x", "HEAD").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let error = repo.branch_delete("main").await.unwrap_err();
    assert!(error.to_string().contains("main"), "{error}");
    let saved = repo.branch_delete("orchflow/x").await.unwrap().unwrap();
    assert_eq!(repo.branch_delete("orchflow/x").await.unwrap(), None);
    assert_eq!(repo.resolve("orchflow/x").await.unwrap(), None);
    assert_eq!(repo.restore_saved(&saved, "back").await.unwrap(), work);
    assert_eq!(repo.resolve("back").await.unwrap(), Some(work));
    // The saved ref still holds it: nothing new has to be saved.
    assert_eq!(repo.branch_delete("back").await.unwrap(), None);
}

#[tokio::test]
async fn a_saved_name_is_never_given_to_another_commit() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    let first = repo.head().await.unwrap();
    let second = fixture.commit("second").await;
    let save = async |commit: &str| repo.save_ref(RefKind::Saved, "n", commit).await.unwrap();
    assert_eq!(save(&first).await, "n");
    assert_eq!(save(&first).await, "n");
    assert_eq!(save(&second).await, "n-2");
    assert_eq!(save(&second).await, "n-2");
    let saved = repo.list_saved(RefKind::Saved).await.unwrap();
    let mut seen: Vec<_> = saved.iter().map(|s| (s.name.as_str(), s.subject.as_str())).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("n", "first"), ("n-2", "second")]);
    repo.drop_ref(RefKind::Saved, "n").await.unwrap();
    repo.drop_ref(RefKind::Saved, "n").await.unwrap();
    assert_eq!(repo.list_saved(RefKind::Saved).await.unwrap().len(), 1);
    let error = repo.restore_saved("n", "b").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_exclude_is_written_once_and_holds() {
    let fixture = Fixture::new().await;
    let repo = fixture.repo().await;
    std::fs::write(fixture.root.join(".git/info/exclude"), "no-end").unwrap();
    repo.info_exclude("/.orchflow/plan.md").unwrap();
    repo.info_exclude("/.orchflow/plan.md").unwrap();
    assert_eq!(fixture.read(".git/info/exclude"), "no-end\n/.orchflow/plan.md\n");
    fixture.write(".orchflow/plan.md", "plan");
    assert!(!repo.state().await.unwrap().is_dirty());
}
