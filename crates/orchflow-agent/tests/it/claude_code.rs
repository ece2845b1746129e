//! Claude Code by its recorded streams, printed by a script in its stead.

use orchflow_agent::{AgentConfig, Failure, Outcome};
use orchflow_types::{AgentKind, Role};

use crate::manager::{Stage, agent, failure, summary};

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings");

/// A Claude that prints a recording, whatever it is told, and exits with `code`.
fn claude(stage: &Stage, recording: &str, code: u8) -> AgentConfig {
    let text = format!("echo \"$@\" > told; cat {RECORDINGS}/{recording}; exit {code}");
    agent(AgentKind::ClaudeCode, &stage.script("claude", &text))
}

#[tokio::test]
async fn a_turn_is_done_with_the_agents_words_session_and_cost() {
    let stage = Stage::new();
    let outcome = stage.take(&claude(&stage, "claude-edit.jsonl", 0), &stage.turn(&[])).await;
    let Outcome::Done { summary, session, usage, pane, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(summary, "Done: scripted tool ran.");
    assert_eq!(session.as_deref(), Some("23015ea4-c3eb-42b9-9058-31c69c068d42"));
    assert_eq!(usage.unwrap().output_tokens, 51);
    assert_eq!(pane, stage.seen.panes.lock().unwrap().first().copied());
    let told = std::fs::read_to_string(stage.dir.path().join("told")).unwrap();
    assert!(told.starts_with("-p ") && told.contains("Do it"), "{told}");
    let options = "--output-format stream-json --verbose --permission-mode acceptEdits";
    assert!(told.trim_end().ends_with(options), "{told}");
}

#[tokio::test]
async fn an_auditor_may_not_edit() {
    let stage = Stage::new();
    let mut turn = stage.turn(&[]);
    turn.role = Role::Auditor;
    let outcome = stage.take(&claude(&stage, "claude-edit.jsonl", 0), &turn).await;
    let (failed, reason) = failure(&outcome);
    assert_eq!(failed, Failure::Agent);
    assert!(reason.contains("could not be read as an audit"), "{reason}");
    let told = std::fs::read_to_string(stage.dir.path().join("told")).unwrap();
    assert!(told.trim_end().ends_with("--permission-mode default"), "{told}");
}

#[tokio::test]
async fn a_denied_tool_is_told_in_the_summary() {
    let stage = Stage::new();
    let outcome = stage.take(&claude(&stage, "claude-denied.jsonl", 0), &stage.turn(&[])).await;
    assert_eq!(summary(&outcome), "Done: scripted tool ran.\nwas denied: Bash");
}

#[tokio::test]
async fn a_rate_limit_names_its_status_whatever_the_exit_code_says() {
    for code in [0, 1] {
        let stage = Stage::new();
        let outcome =
            stage.take(&claude(&stage, "claude-429-exhaust.out", code), &stage.turn(&[])).await;
        let (failed, reason) = failure(&outcome);
        assert_eq!(failed, Failure::Agent);
        assert!(reason.contains("rate limit or quota was reached (429)"), "{reason}");
    }
}

#[tokio::test]
async fn success_that_exits_red_and_an_end_without_a_result_are_failures() {
    let stage = Stage::new();
    let outcome = stage.take(&claude(&stage, "claude-edit.jsonl", 9), &stage.turn(&[])).await;
    assert_eq!(failure(&outcome), (Failure::Agent, "`mine` told of success, but exited with 9"));
    let script =
        stage.script("other", "echo '{\"type\":\"system\"}'; echo 'not logged in' >&2; exit 1");
    let outcome = stage.take(&agent(AgentKind::ClaudeCode, &script), &stage.turn(&[])).await;
    assert_eq!(
        failure(&outcome),
        (Failure::Agent, "`mine` exited with 1 without a result: not logged in")
    );
}

#[tokio::test]
async fn garbage_is_no_result() {
    let stage = Stage::new();
    let script = stage.script("claude", "head -c 9000000 /dev/urandom; head -c 9000000 /dev/zero");
    let outcome = stage.take(&agent(AgentKind::ClaudeCode, &script), &stage.turn(&[])).await;
    assert!(failure(&outcome).1.contains("without a result"));
}

#[tokio::test]
async fn a_template_with_a_prompt_is_the_whole_line() {
    let stage = Stage::new();
    let line =
        format!("sh -c 'test \"$#\" = 1 && cat {RECORDINGS}/claude-edit.jsonl' x {{prompt}}");
    let outcome = stage.take(&agent(AgentKind::ClaudeCode, &line), &stage.turn(&[])).await;
    assert_eq!(summary(&outcome), "Done: scripted tool ran.");
}
