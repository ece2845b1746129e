//! Programs that tell their version, and those that do not.

use super::*;

use std::os::unix::fs::PermissionsExt;

fn script(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn agent(name: &str, command: &str) -> AgentConfig {
    AgentConfig { command: command.to_owned(), ..AgentConfig::bare(name, AgentKind::Command) }
}

#[tokio::test]
async fn agents_are_told_as_they_were_found_in_the_order_asked() {
    let dir = tempfile::tempdir().unwrap();
    let good = script(dir.path(), "aider", "echo hello; echo 'good 1.2.3 (x)'");
    let red = script(dir.path(), "qwen", "exit 3");
    let silent = script(dir.path(), "copilot", "true");
    let configs = [
        agent("good", &format!("{good} {{prompt}}")),
        agent("red", &red),
        agent("silent", &silent),
        agent("gone", "no-such-program-anywhere x"),
        agent("broken", "a 'b"),
        agent("empty", ""),
        AgentConfig::tool(),
    ];
    let found = discover(&configs).await;
    let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["good", "red", "silent", "gone", "broken", "empty", "tool"]);
    let available: Vec<bool> = found.iter().map(|one| one.available).collect();
    assert_eq!(available, [true, true, true, false, false, false, true]);
    assert_eq!(configs.each_ref().map(present).to_vec(), available);
    assert_eq!(found[0].version.as_deref(), Some("good 1.2.3 (x)"));
    assert_eq!(found[0].program.as_deref(), Some(good.as_str()));
    let notes: Vec<&str> = found[1..6].iter().map(|one| one.note.as_deref().unwrap()).collect();
    assert_eq!(notes[0], format!("`{red} --version` exited with 3"));
    assert_eq!(
        notes[1..],
        [
            "it told no version",
            "the program `no-such-program-anywhere` was not found",
            "the command of agent `broken` cannot be read: a quote or a backslash is not closed",
            "the command of agent `empty` cannot be read: it is empty",
        ]
    );
}

#[tokio::test]
async fn one_that_hangs_holds_nobody_up_for_long() {
    let dir = tempfile::tempdir().unwrap();
    let hangs = script(dir.path(), "aider", "exec sleep 1000");
    let found = discover(&[agent("hangs", &hangs), agent("again", &hangs)]).await;
    for one in found {
        assert_eq!(one.note.as_deref(), Some("it did not tell its version in 3 s"));
        assert!(one.available);
    }
}

#[tokio::test]
async fn a_script_of_the_users_own_is_not_run_to_learn_its_version() {
    let dir = tempfile::tempdir().unwrap();
    let ran = dir.path().join("ran");
    let own = script(dir.path(), "own", &format!("touch {}; echo 1.0", ran.display()));
    let found = discover(&[agent("own", &own)]).await.remove(0);
    assert_eq!((found.available, found.version, found.note), (true, None, None));
    assert!(!ran.exists());
}

#[tokio::test]
async fn a_program_is_asked_for_its_version_once_and_again_when_it_is_another() {
    let dir = tempfile::tempdir().unwrap();
    let asked = dir.path().join("asked");
    let program = |version: &str| {
        script(dir.path(), "aider", &format!("echo x >> {}; echo {version}", asked.display()))
    };
    let times = || std::fs::read_to_string(&asked).unwrap().lines().count();
    let config = agent("a", &program("1.0"));
    for _ in 0..3 {
        let found = discover(std::slice::from_ref(&config)).await.remove(0);
        assert_eq!(found.version.as_deref(), Some("1.0"));
    }
    assert_eq!(times(), 1);
    program("1.0.1");
    let found = discover(std::slice::from_ref(&config)).await.remove(0);
    assert_eq!((found.version.as_deref(), times()), (Some("1.0.1"), 2));
}

#[tokio::test]
async fn a_program_at_a_relative_path_is_not_run_to_learn_its_version() {
    let found = discover(&[agent("here", "./aider {prompt}")]).await.remove(0);
    assert_eq!((found.available, found.version), (false, None));
    let note = found.note.unwrap();
    assert!(note.contains("`./aider` is a relative path"), "{note}");
}

#[test]
fn every_built_in_agent_can_be_installed_by_one_command() {
    for config in AgentConfig::built_in() {
        if config.kind != AgentKind::Tool {
            assert!(install(&program(&config).unwrap()).is_some(), "{}", config.name);
        }
    }
}
