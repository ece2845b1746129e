//! Settings as a user meets them: layers, origins, errors that name their line.

use std::fs;

use orchflow_types::Explain;
use serde_json::json;

use super::*;

struct Files(tempfile::TempDir);

impl Files {
    fn new(user: &str, project: Option<&str>) -> (Self, Layers) {
        let dir = tempfile::tempdir().unwrap();
        let user_file = dir.path().join("config.toml");
        fs::write(&user_file, user).unwrap();
        let project = project.map(|text| {
            let file = project_file(dir.path());
            (file, text.to_owned())
        });
        (Self(dir), Layers { user: user_file, project })
    }
}

fn load(user: &str) -> Result<Settings, Error> {
    let (_files, layers) = Files::new(user, None);
    Settings::load(&layers, |_| None)
}

fn wrong(user: &str) -> (String, Option<String>) {
    let error = load(user).unwrap_err();
    let message = error.to_string();
    let shown = message.split("/config.toml:").last().unwrap_or_default().to_owned();
    (shown, error.hint())
}

#[test]
fn the_whole_documented_shape_is_read() {
    let settings = load(
        r#"
[orchestrator]
mode = "embedded"
service_url = "ws://localhost:3000"
[features]
ai_agents = true
memory_manager = true
mcp_integration = true
[terminal]
backend = "auto"
[run]
mode = "parallel"
max_concurrency = 8
max_iterations = 2
max_recovery_attempts = 3
auto_approve = true
commit = false
[budget]
usd = 5.0
tokens = 2_000_000
minutes = 30
[models]
chain = ["anthropic:claude-sonnet-4-5", "glm:glm-4.7"]
[roles.architect]
chain = ["claude", "codex"]
prompt = "Focus on security best practices."
[agents.claude]
kind = "claude-code"
command = "claude"
[agents.mine]
kind = "command"
command = "my-agent --task {task_id} {prompt}"
mode = "tty"
format = "codex"
env = { MODE = "fast" }
pass_env = ["MY_KEY"]
[providers.glm]
kind = "openai-compatible"
base_url = "https://api.z.ai/api/paas/v4"
key_env = "ZAI_API_KEY"
"#,
    )
    .unwrap();
    assert_eq!(settings.run.mode, RunMode::Parallel);
    assert_eq!((settings.run.max_concurrency, settings.run.minutes), (8, 30));
    assert!(settings.run.auto_approve && !settings.run.commit);
    assert_eq!(settings.run.chains[&Role::Architect], ["claude", "codex"]);
    assert_eq!(settings.agents[1].command, ["my-agent", "--task", "{task_id}", "{prompt}"]);
    assert_eq!(settings.agents[1].env["MODE"], "fast");
    assert_eq!(settings.agents[1].pass_env, ["MY_KEY"]);
    assert_eq!(settings.agents[0].kind, AgentKind::ClaudeCode);
    let how = |agent: &Agent| (agent.mode, agent.format);
    assert_eq!(how(&settings.agents[0]), (Mode::Pipes, Format::Text));
    assert_eq!(how(&settings.agents[1]), (Mode::Tty, Format::Codex));
}

#[test]
fn without_any_file_the_defaults_are_those_of_a_run() {
    let layers = Layers { user: "/no/such/config.toml".into(), project: None };
    let settings = Settings::load(&layers, |_| None).unwrap();
    assert_eq!(settings.run, RunOptions::default());
    assert!(settings.values.values().all(|sourced| sourced.origin == "default"));
}

#[test]
fn a_project_beats_the_user_and_the_environment_beats_both_and_each_says_so() {
    let user = "[run]\nmax_concurrency = 2\nmax_iterations = 2\nauto_approve = true\n";
    let project = "[run]\nmax_concurrency = 3\nmax_iterations = 5\n";
    let (_files, layers) = Files::new(user, Some(project));
    let variable = |name: &str| (name == "ORCHFLOW_RUN_MAX_CONCURRENCY").then(|| "9".to_owned());
    let settings = Settings::load(&layers, variable).unwrap();
    let told = |key: &str| {
        let sourced = &settings.values[key];
        let origin = sourced.origin.rsplit('/').next().unwrap_or_default().to_owned();
        (sourced.value.clone(), origin)
    };
    assert_eq!(told("run.max_concurrency"), (json!(9), "ORCHFLOW_RUN_MAX_CONCURRENCY".into()));
    assert_eq!(told("run.max_iterations"), (json!(5), "config.toml:3".into()));
    assert_eq!(told("run.auto_approve"), (json!(true), "config.toml:4".into()));
    assert_eq!(told("run.commit"), (json!(true), "default".into()));
}

#[test]
fn what_no_setting_takes_is_told_with_its_line_and_the_nearest_name() {
    let cases = [
        ("[run]\n\nmax_concurency = 3\n", "3: there is no setting `run.max_concurency`"),
        ("[rum]\nmode = 1\n", "1: there is no setting `rum`"),
        ("[roles.audito]\nchain = []\n", "1: there is no setting `roles.audito`"),
        ("[agents.x]\ncomand = \"x\"\n", "2: there is no setting `agents.x.comand`"),
    ];
    let nearest = ["run.max_concurrency", "run", "roles.auditor", "agents.x.command"];
    for ((text, expected), nearest) in cases.into_iter().zip(nearest) {
        let (message, hint) = wrong(text);
        assert_eq!(
            (message.as_str(), hint),
            (expected, Some(format!("did you mean `{nearest}`?")))
        );
    }
}

#[test]
fn a_value_of_another_kind_is_told_with_its_line() {
    for (text, expected) in [
        (
            "[run]\nmax_concurrency = \"4\"\n",
            "2: `run.max_concurrency` must be a whole number from 1 to 1000, not \"4\"",
        ),
        (
            "[run]\nmax_concurrency = 0\n",
            "2: `run.max_concurrency` must be a whole number from 1 to 1000, not 0",
        ),
        ("run = 3\n", "1: `run` must be a table, not 3"),
        ("[run]\nauto_approve = 1\n", "2: `run.auto_approve` must be true or false, not 1"),
        (
            "[roles.auditor]\nchain = \"claude\"\n",
            "2: `roles.auditor.chain` must be a list of texts, not \"claude\"",
        ),
        (
            "[terminal]\nbackend = \"screen\"\n",
            "2: `terminal.backend` must be one of \"auto\", \"native\", not \"screen\"",
        ),
    ] {
        assert_eq!(wrong(text).0, expected);
    }
}

#[test]
fn what_this_version_cannot_do_is_refused_by_name() {
    for (text, value) in [
        ("[orchestrator]\nmode = \"service\"\n", "orchestrator.mode = \"service\""),
        ("[run]\nmode = \"watch\"\n", "run.mode = \"watch\""),
        ("[terminal]\nbackend = \"tmux\"\n", "terminal.backend = \"tmux\""),
        ("[agents.c]\nkind = \"codex\"\n", "agents.c.kind = \"codex\""),
    ] {
        let (message, hint) = wrong(text);
        assert_eq!(message, format!("2: `{value}` is not possible in this version"));
        assert!(hint.unwrap().starts_with("it may be one of"));
    }
}

#[test]
fn what_has_no_effect_yet_says_so() {
    for key in ["budget.usd", "budget.tokens", "models.chain", "providers.glm.kind"] {
        assert!(without_effect(key).unwrap().contains("no effect"), "{key}");
    }
    assert_eq!(without_effect("budget.minutes"), None);
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let (message, _) = wrong("[run]\nmode = \n");
    assert!(message.starts_with("2: this is not TOML"), "{message}");
}

#[test]
fn an_agent_without_a_kind_or_a_command_is_refused() {
    let (message, hint) = wrong("[agents.x]\ncommand = \"x\"\n");
    assert_eq!(message, "2: the agent `x` has no `kind`");
    assert_eq!(hint.as_deref(), Some("add `kind = \"command\"` below `[agents.x]`"));
    let error = load("[agents.x]\nkind = \"command\"\n").unwrap_err();
    assert!(
        error.to_string().ends_with("config.toml:2: the agent `x` has no `command`"),
        "{error}"
    );
}

#[test]
fn writing_a_setting_keeps_comments_and_order() {
    let text = "# mine\n[run]\nmode = \"sequential\" # one by one\n\n[budget]\nminutes = 5\n";
    let (_files, layers) = Files::new(text, None);
    set(&layers.user, "run.mode", &json!("parallel")).unwrap();
    set(&layers.user, "run.max_iterations", &json!(1)).unwrap();
    set(&layers.user, "roles.auditor.chain", &json!(["claude"])).unwrap();
    assert_eq!(
        fs::read_to_string(&layers.user).unwrap(),
        "# mine\n[run]\nmode = \"parallel\" # one by one\nmax_iterations = 1\n\n\
         [budget]\nminutes = 5\n\n[roles.auditor]\nchain = [\"claude\"]\n"
    );
}

#[test]
fn a_write_that_is_refused_leaves_the_file_as_it_was() {
    let (files, layers) = Files::new("[run]\nmode = \"parallel\"\n", None);
    for (key, value) in [("run.mode", json!("watch")), ("run.mod", json!("parallel"))] {
        set(&layers.user, key, &value).unwrap_err();
    }
    assert_eq!(fs::read_to_string(&layers.user).unwrap(), "[run]\nmode = \"parallel\"\n");
    assert_eq!(fs::read_dir(files.0.path()).unwrap().count(), 1);
}

#[test]
fn a_first_setting_makes_the_file_and_its_folder_readable_by_the_user_alone() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("deep/config.toml");
    set(&file, "budget.usd", &json!(2.5)).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "[budget]\nusd = 2.5\n");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
}

#[test]
fn bare_words_become_the_value_the_setting_takes() {
    assert_eq!(value_for("run.max_concurrency", "7"), json!(7));
    assert_eq!(value_for("run.mode", "parallel"), json!("parallel"));
    assert_eq!(value_for("roles.auditor.chain", "claude, mine"), json!(["claude", "mine"]));
    assert_eq!(value_for("run.commit", "false"), json!(false));
}
