//! Settings and trust, from files to answers.

use orchflow_testkit::Repo;

use crate::home;

#[tokio::test]
async fn a_wrong_key_is_told_with_its_line_and_the_nearest_name() {
    let daemon = home("# mine\n[run]\nmax_concurency = 3\n");
    let answer = daemon.cli(&["config", "show"]).await.unwrap();
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("config.toml:3: there is no setting"), "{answer:?}");
    assert!(answer.stderr.contains("did you mean `run.max_concurrency`?"), "{answer:?}");
}

#[tokio::test]
async fn a_setting_that_is_written_is_read_with_its_origin_and_comments_stay() {
    let daemon = home("# mine\n[run]\nmode = \"sequential\" # one by one\n");
    daemon.cli(&["config", "set", "run.mode", "parallel"]).await.unwrap().ok();
    let text = std::fs::read_to_string(daemon.path().join("config.toml")).unwrap();
    assert_eq!(text, "# mine\n[run]\nmode = \"parallel\" # one by one\n");
    let setting = daemon.cli(&["config", "get", "run.mode", "--json"]).await.unwrap().ok().json();
    assert_eq!(setting["value"], "parallel");
    assert!(setting["origin"].as_str().unwrap().ends_with("config.toml:3"), "{setting}");
    let refused = daemon.cli(&["config", "set", "run.mode", "watch"]).await.unwrap();
    assert_eq!(refused.code, 2, "{refused:?}");
}

#[tokio::test]
async fn an_agent_is_set_part_by_part_with_all_that_it_may_have() {
    let daemon = home("");
    let parts = [
        ("kind", "command", "this is not all yet: add `command ="),
        ("command", "mine --say {prompt}", ""),
        ("mode", "tty", ""),
        ("format", "codex", ""),
    ];
    for (part, value, warning) in parts {
        let key = format!("agents.mine.{part}");
        let set = daemon.cli(&["config", "set", &key, value]).await.unwrap().ok();
        assert_eq!(set.stderr.contains("warning"), !warning.is_empty(), "{set:?}");
        assert!(set.stderr.contains(warning), "{set:?}");
    }
    let format = daemon.cli(&["config", "get", "agents.mine.format"]).await.unwrap().ok();
    assert_eq!(format.stdout, "codex\n");
    let refused = daemon.cli(&["config", "set", "agents.mine.format", "toml"]).await.unwrap();
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("one of \"text\", \"codex\""), "{refused:?}");
}

#[tokio::test]
async fn what_has_no_effect_yet_is_said_by_config_and_doctor() {
    let daemon = home("[budget]\nusd = 5.0\n");
    let shown = daemon.cli(&["config", "show"]).await.unwrap().ok();
    assert!(shown.stderr.contains("`budget.usd` is known, but has no effect"), "{shown:?}");
    let doctor = daemon.cli(&["doctor"]).await.unwrap();
    assert!(doctor.stdout.contains("`budget.usd` is known, but has no effect"), "{doctor:?}");
}

#[tokio::test]
async fn a_projects_settings_count_from_trust_to_the_first_changed_byte() {
    let (daemon, repo) = (home(""), Repo::empty().await.unwrap());
    repo.write(".orchflow/config.toml", "[run]\nmax_concurrency = 2\n").unwrap();
    let concurrency = || async {
        let args = ["config", "get", "run.max_concurrency", "--json"];
        daemon.cli_in(repo.path(), &args).await.unwrap().ok().json()["value"].clone()
    };
    assert_eq!(concurrency().await, 4);
    let unasked = daemon.cli_in(repo.path(), &["trust"]).await.unwrap();
    assert_eq!(unasked.code, 4, "{unasked:?}");
    assert!(unasked.stderr.contains("│ max_concurrency = 2"), "{unasked:?}");
    daemon.cli_in(repo.path(), &["trust", "--yes"]).await.unwrap().ok();
    assert_eq!(concurrency().await, 2);
    repo.write(".orchflow/config.toml", "[run]\nmax_concurrency = 3\n").unwrap();
    assert_eq!(concurrency().await, 4);
    daemon.cli_in(repo.path(), &["trust", "--yes"]).await.unwrap().ok();
    daemon.cli_in(repo.path(), &["trust", "--revoke"]).await.unwrap().ok();
    assert_eq!(concurrency().await, 4);
}
