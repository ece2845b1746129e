//! Templates, configuration as written, the environment.

use super::*;

use orchflow_runtime::{Clock, ids};
use orchflow_types::Role;
use orchflow_types::plan::PlanTask;

use crate::Limits;

fn turn() -> Turn {
    let clock = Clock::system();
    Turn {
        run_id: ids::mint(&clock),
        task_id: ids::mint(&clock),
        role: Role::Executor,
        key: "key".into(),
        cwd: "/w t".into(),
        plan: PlanTask { files: vec!["a b.rs".into(), "-x.rs".into()], ..PlanTask::new("k", "t") },
        goal: "g".into(),
        iteration: 0,
        findings: vec![],
        red_gates: vec![],
        diff: None,
        limits: Limits::default(),
        handoff: None,
        commands: vec![],
        extra: None,
    }
}

fn filled(command: &str, prompt: &str) -> Vec<String> {
    let config =
        AgentConfig { command: command.to_owned(), ..AgentConfig::bare("a", AgentKind::Command) };
    config.fill(&turn(), prompt).unwrap()
}

#[test]
fn a_template_is_filled_word_by_word_and_what_is_filled_in_is_no_template() {
    let prompt = "do $(x) {role} 'y'";
    assert_eq!(filled("a -p {prompt} '{worktree}/x'", prompt), ["a", "-p", prompt, "/w t/x"]);
    assert_eq!(filled("a {files} --", prompt), ["a", "a b.rs", "./-x.rs", "--"]);
    assert_eq!(filled("a 'f={files}' {role}", prompt), ["a", "f=a b.rs -x.rs", "executor"]);
    assert_eq!(filled(r#"a '{"k":{}}' {other}"#, prompt), ["a", r#"{"k":{}}"#, "{other}"]);
    assert!(filled("a {task_id}", prompt)[1].starts_with("task_"));
}

#[test]
fn a_template_that_cannot_be_read_names_its_agent() {
    for command in ["a 'b", "a \"", "", "  "] {
        let config = AgentConfig {
            command: command.to_owned(),
            ..AgentConfig::bare("mine", AgentKind::Command)
        };
        let bad = config.words().unwrap_err();
        assert!(bad.to_string().starts_with("the command of agent `mine` cannot be read"));
    }
}

#[test]
fn configuration_is_read_as_people_write_it_and_unknown_keys_are_refused() {
    let text = "name = \"mine\"\nkind = \"command\"\ncommand = \"x {prompt}\"\nmode = \"tty\"\n\
                pass_env = [\"MY_KEY\"]\n[env]\nA = \"1\"\n";
    let config: AgentConfig = toml::from_str(text).unwrap();
    let wanted = AgentConfig {
        command: "x {prompt}".into(),
        env: [("A".to_owned(), "1".to_owned())].into(),
        pass_env: vec!["MY_KEY".into()],
        mode: Mode::Tty,
        ..AgentConfig::bare("mine", AgentKind::Command)
    };
    assert_eq!(config, wanted);
    let error = toml::from_str::<AgentConfig>("name = \"x\"\nkind = \"command\"\ncomand = \"y\"\n");
    assert!(error.unwrap_err().to_string().contains("unknown field `comand`"));
}

#[test]
fn only_variables_that_are_named_are_let_through_and_configured_ones_win() {
    let mut config = AgentConfig::bare("a", AgentKind::Command);
    assert!(config.environment().is_empty());
    config.pass_env = vec!["PATH".into(), "NO_SUCH_VARIABLE_ANYWHERE".into()];
    let environment = config.environment();
    assert_eq!(environment.keys().collect::<Vec<_>>(), ["PATH"]);
    config.env.insert("PATH".into(), "/x".into());
    assert_eq!(config.environment()["PATH"], "/x");
}

#[test]
fn the_built_in_agents_can_be_started_and_have_names_of_their_own() {
    let mut names: Vec<String> = Vec::new();
    for config in AgentConfig::built_in() {
        assert!(config.fill(&turn(), "p").is_ok());
        names.push(config.name);
    }
    assert_eq!(names, ["claude", "codex", "gemini", "opencode", "tool"]);
}
