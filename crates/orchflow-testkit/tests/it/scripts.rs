//! Repositories are green or red as promised, scripted agents do what they are named for.

use std::time::Duration;

use orchflow_runtime::process::{Output, Spec, output};
use orchflow_testkit::{Repo, Script, Scripts, wait_until};

async fn run(words: &[&str], dir: &std::path::Path) -> Output {
    output(&Spec::new(words.iter(), dir), 4 << 20, Duration::from_secs(60))
        .await
        .expect("the program starts")
}

async fn act(script: &Script, dir: &std::path::Path) -> Output {
    run(&[script.path().to_str().expect("a temporary path is text"), "the prompt"], dir).await
}

#[tokio::test]
async fn the_python_project_is_green_or_red_as_asked() {
    for green in [true, false] {
        let repo = Repo::python(green).await.unwrap();
        let tests = run(&["python3", "-m", "unittest"], repo.path()).await;
        assert_eq!(tests.status.success(), green, "{}", tests.error_text());
        assert!(tests.error_text().contains("Ran 2 tests"), "{}", tests.error_text());
        assert_eq!(repo.git(&["status", "--porcelain"]).await.unwrap(), "");
    }
}

#[tokio::test]
async fn the_shell_project_is_green_or_red_as_asked() {
    for green in [true, false] {
        let repo = Repo::shell(green).await.unwrap();
        assert_eq!(run(&["sh", "test.sh"], repo.path()).await.status.success(), green);
    }
}

#[tokio::test]
async fn scripted_agents_edit_audit_and_fail_as_named() {
    let (scripts, repo) = (Scripts::new().unwrap(), Repo::empty().await.unwrap());
    let editor = scripts.edits("editor", "src/a.txt", "it's\nnew\n").unwrap();
    act(&editor, repo.path()).await;
    assert_eq!(repo.read("src/a.txt").as_deref(), Some("it's\nnew\n"));
    let turns = scripts.edits_in_turn("turns", "b.txt", &["first", "second"]).unwrap();
    for expected in ["first", "second", "second"] {
        act(&turns, repo.path()).await;
        assert_eq!(repo.read("b.txt").as_deref(), Some(expected));
    }
    let auditor = scripts.audits("auditor", r#"{"verdict":"APPROVED","findings":[]}"#).unwrap();
    let said = act(&auditor, repo.path()).await.text();
    assert!(said.ends_with(r#"{"verdict":"APPROVED","findings":[]}"#), "{said}");
    assert_eq!(act(&scripts.fails("fails", 7).unwrap(), repo.path()).await.status.code, 7);
    assert!(
        act(&scripts.prints_garbage("noise").unwrap(), repo.path()).await.stdout.len() > 900_000
    );
}

#[tokio::test]
async fn the_fingerprint_sees_every_change_of_a_checkout() {
    let repo = Repo::python(true).await.unwrap();
    let before = repo.fingerprint().await.unwrap();
    assert_eq!(repo.fingerprint().await.unwrap(), before);
    repo.write("untracked.txt", "x").unwrap();
    assert_ne!(repo.fingerprint().await.unwrap(), before);
}

#[tokio::test]
async fn waiting_ends_as_soon_as_the_condition_holds() {
    let mut looks = 0;
    wait_until("three looks", || {
        looks += 1;
        let done = looks == 3;
        async move { done }
    })
    .await;
}
