//! The user's branch moves forward, or nothing of the checkout changes at all.

use std::path::PathBuf;

use orchflow_workspace::git::{FastForward, NotLanded, Onto, take_command};

use crate::fixture::{Fixture, run, write};

/// A result on `orchflow/run`: changes `a.txt`, deletes `b.txt`, adds `new/n.txt`, `out.log`.
async fn result(fixture: &Fixture) -> String {
    let repo = fixture.repo().await;
    let path = fixture.beside("w");
    let worktree = repo.worktree_add(&path, "orchflow/run", "HEAD").await.unwrap();
    write(&path, "a.txt", "result\n");
    write(&path, "new/n.txt", "n\n");
    std::fs::remove_file(path.join("b.txt")).unwrap();
    let commit = worktree.commit_all("result", &[]).await.unwrap().unwrap();
    repo.worktree_remove(&path).await.unwrap();
    commit
}

/// Asserts that nothing was touched, and answers why.
async fn refused(fixture: &Fixture, to: &str) -> NotLanded {
    let repo = fixture.repo().await;
    let before = fixture.everything();
    let first = fixture.git(&["rev-list", "--max-parents=0", "main"]).await;
    let onto = Onto { branch: Some("main"), tip: &first };
    let ended = repo.fast_forward(to, Some(onto)).await.unwrap();
    assert_eq!(fixture.everything(), before);
    let FastForward::NotLanded(reason) = ended else { panic!("{ended:?}") };
    reason
}

fn way(reason: &NotLanded) -> (String, &'static str) {
    let NotLanded::InTheWay { path, how, .. } = reason else { panic!("{reason:?}") };
    (path.display().to_string(), how)
}

#[tokio::test]
async fn a_clean_checkout_lands_with_its_files_and_landing_again_is_fine() {
    let fixture = Fixture::new().await;
    let to = result(&fixture).await;
    fixture.write("dir/c.txt", "mine, elsewhere\n");
    fixture.write("untracked.txt", "mine\n");
    fixture.write("x.log", "ignored\n");
    let repo = fixture.repo().await;
    let landed = repo.fast_forward(&to, None).await.unwrap();
    assert!(
        matches!(&landed, FastForward::Landed { branch, .. } if branch == "main"),
        "{landed:?}"
    );
    assert_eq!(repo.head().await.unwrap(), to);
    assert_eq!(fixture.read("a.txt"), "result\n");
    assert!(!fixture.root.join("b.txt").exists());
    assert_eq!(fixture.read("dir/c.txt"), "mine, elsewhere\n");
    let again = repo.fast_forward(&to, None).await.unwrap();
    assert!(matches!(again, FastForward::Landed { .. }));
}

#[tokio::test]
async fn a_dirty_a_staged_and_an_untracked_path_in_the_way_each_stop_it() {
    for (path, text, stage, how) in [
        ("a.txt", "mine\n", false, "changed and not committed"),
        ("a.txt", "mine\n", true, "staged"),
        ("b.txt", "mine\n", false, "changed and not committed"),
        ("new/n.txt", "mine\n", false, "untracked there"),
        ("new/n.txt", "mine\n", true, "staged"),
    ] {
        let fixture = Fixture::new().await;
        let to = result(&fixture).await;
        fixture.write(path, text);
        if stage {
            fixture.git(&["add", path]).await;
        }
        assert_eq!(way(&refused(&fixture, &to).await), (path.to_owned(), how));
    }
}

#[tokio::test]
async fn a_file_where_a_folder_must_be_and_an_ignored_file_stop_it() {
    let fixture = Fixture::new().await;
    let to = result(&fixture).await;
    fixture.write("new", "a file\n");
    assert_eq!(way(&refused(&fixture, &to).await).0, "new");
    std::fs::remove_file(fixture.root.join("new")).unwrap();
    // Git itself would overwrite an ignored file without a word.
    std::fs::write(fixture.root.join(".git/info/exclude"), "n.txt\n").unwrap();
    fixture.write("new/n.txt", "precious\n");
    let reason = refused(&fixture, &to).await;
    assert_eq!(way(&reason).0, "new/n.txt");
    assert!(reason.to_string().contains("`new/n.txt`"), "{reason}");
}

#[tokio::test]
async fn a_file_hidden_from_git_stops_it() {
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        let fixture = Fixture::new().await;
        let to = result(&fixture).await;
        fixture.git(&["update-index", flag, "a.txt"]).await;
        fixture.write("a.txt", "secretly mine\n");
        assert_eq!(way(&refused(&fixture, &to).await).0, "a.txt");
    }
}

#[tokio::test]
async fn a_detached_another_a_diverged_and_a_busy_checkout_each_stop_it() {
    let fixture = Fixture::new().await;
    let to = result(&fixture).await;
    fixture.git(&["checkout", "-q", "--detach"]).await;
    assert_eq!(refused(&fixture, &to).await, NotLanded::Detached);
    fixture.git(&["checkout", "-q", "-b", "other"]).await;
    let reason = refused(&fixture, &to).await;
    assert!(matches!(reason, NotLanded::OtherBranch { .. }), "{reason:?}");
    fixture.git(&["checkout", "-q", "main"]).await;
    fixture.write("dir/c.txt", "main\n");
    fixture.commit("main moved").await;
    assert_eq!(refused(&fixture, &to).await, NotLanded::Diverged { branch: "main".into() });
    fixture.git(&["checkout", "-q", "other"]).await;
    fixture.write("dir/c.txt", "other\n");
    fixture.commit("other").await;
    fixture.git(&["checkout", "-q", "main"]).await;
    assert!(!run(&fixture.root, &["git", "merge", "other"]).await.status.success());
    assert!(matches!(refused(&fixture, &to).await, NotLanded::Busy(_)));
    fixture.git(&["merge", "--abort"]).await;
    assert!(!run(&fixture.root, &["git", "rebase", "other"]).await.status.success());
    assert_eq!(refused(&fixture, &to).await, NotLanded::Detached);
}

#[tokio::test]
async fn a_lock_of_another_git_stops_it_with_a_reason() {
    let fixture = Fixture::new().await;
    let to = result(&fixture).await;
    std::fs::write(fixture.root.join(".git/index.lock"), "").unwrap();
    let reason = refused(&fixture, &to).await;
    assert!(reason.to_string().contains("index.lock"), "{reason}");
}

#[tokio::test]
async fn the_printed_command_takes_the_result_and_keeps_what_was_in_the_way() {
    let fixture = Fixture::new().await;
    let middle = "2\n3\n4\n5\n6\n7\n8\n";
    fixture.write("a.txt", &format!("first\n{middle}last\n"));
    fixture.git(&["commit", "-q", "-a", "-m", "lines"]).await;
    let path = fixture.beside("w");
    let repo = fixture.repo().await;
    let worktree = repo.worktree_add(&path, "orchflow/run", "HEAD").await.unwrap();
    write(&path, "a.txt", &format!("result\n{middle}last\n"));
    let to = worktree.commit_all("result", &[]).await.unwrap().unwrap();
    fixture.write("a.txt", &format!("first\n{middle}mine\n"));
    refused(&fixture, &to).await;
    let command = take_command(&fixture.root, "orchflow/run");
    assert!(run(&PathBuf::from("/"), &["sh", "-c", &command]).await.status.success());
    assert_eq!(fixture.repo().await.head().await.unwrap(), to);
    let text = std::fs::read_to_string(fixture.root.join("a.txt")).unwrap();
    assert_eq!(text, format!("result\n{middle}mine\n"));
}

#[tokio::test]
async fn only_the_branch_the_work_began_from_is_moved_and_only_while_it_has_that_commit() {
    let fixture = Fixture::new().await;
    let to = result(&fixture).await;
    let repo = fixture.repo().await;
    let tip = repo.head().await.unwrap();
    let refused = async |onto: Onto<'_>| {
        let before = fixture.everything();
        let ended = repo.fast_forward(&to, Some(onto)).await.unwrap();
        assert_eq!(fixture.everything(), before);
        let FastForward::NotLanded(reason) = ended else { panic!("{ended:?}") };
        reason.to_string()
    };
    let other = refused(Onto { branch: Some("topic"), tip: &tip }).await;
    assert_eq!(other, "the branch `main` is checked out, the work began from `topic`");
    let detached = refused(Onto { branch: None, tip: &tip }).await;
    assert!(detached.ends_with("the work began from a detached HEAD"), "{detached}");
    // The work began from a commit that the branch had and was taken away from it.
    let tree = fixture.git(&["rev-parse", "HEAD^{tree}"]).await;
    let gone = fixture.git(&["commit-tree", "-m", "gone", "-p", &tip, &tree]).await;
    let back = refused(Onto { branch: Some("main"), tip: &gone }).await;
    assert!(back.contains("`main` was set back"), "{back}");
    let onto = Onto { branch: Some("main"), tip: &tip };
    let landed = repo.fast_forward(&to, Some(onto)).await.unwrap();
    assert!(matches!(landed, FastForward::Landed { .. }), "{landed:?}");
}
