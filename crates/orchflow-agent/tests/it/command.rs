//! Any command line: its words, its input, its answer, its failures.

use orchflow_agent::{AgentConfig, Failure, Format, Mode, Outcome};
use orchflow_types::run::Verdict;
use orchflow_types::{AgentKind, Role};

use crate::manager::{Stage, agent, failure, summary};

fn command(line: &str) -> AgentConfig {
    agent(AgentKind::Command, line)
}

#[tokio::test]
async fn a_command_gets_its_prompt_as_one_word_and_its_last_lines_are_the_summary() {
    let stage = Stage::new();
    let script =
        stage.script("agent", "test $# = 2 && echo \"$1\" | grep -q 'Do it' && echo \"as $2\"");
    let outcome =
        stage.take(&command(&format!("{script} {{prompt}} {{role}}")), &stage.turn(&[])).await;
    assert_eq!(summary(&outcome), "as executor");
}

#[tokio::test]
async fn its_input_is_closed_so_one_that_reads_it_comes_to_an_end() {
    let stage = Stage::new();
    let outcome = stage.take(&command("sh -c 'cat; echo read'"), &stage.turn(&[])).await;
    assert_eq!(summary(&outcome), "read");
}

#[tokio::test]
async fn it_sees_the_variables_it_was_given() {
    let stage = Stage::new();
    let mut config = command("sh -c 'echo $FROM_CONFIG'");
    config.env.insert("FROM_CONFIG".into(), "here".into());
    assert_eq!(summary(&stage.take(&config, &stage.turn(&[])).await), "here");
}

#[tokio::test]
async fn one_that_exits_red_failed_with_its_last_line() {
    let stage = Stage::new();
    let outcome = stage.take(&command("sh -c 'echo no key >&2; exit 4'"), &stage.turn(&[])).await;
    assert_eq!(failure(&outcome), (Failure::Agent, "`mine` exited with 4: no key"));
    let outcome = stage.take(&command("sh -c 'kill -9 $$'"), &stage.turn(&[])).await;
    assert_eq!(
        failure(&outcome),
        (Failure::Agent, "`mine` was ended by signal 9: it printed nothing")
    );
}

#[tokio::test]
async fn one_that_tells_of_its_failure_failed_although_it_exits_green() {
    let stage = Stage::new();
    let recordings = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings");
    for (format, recording, wanted) in [
        (Format::Codex, "codex-429-usage.out", "hit your usage limit"),
        (Format::Opencode, "opencode-401.out", "the model answered 401: bad key"),
        (Format::Codex, "gemini-edit.jsonl", "without telling how its turn ended"),
    ] {
        let config = AgentConfig { format, ..command(&format!("cat {recordings}/{recording}")) };
        let outcome = stage.take(&config, &stage.turn(&[])).await;
        let (failed, reason) = failure(&outcome);
        assert_eq!(failed, Failure::Agent);
        assert!(reason.contains(wanted), "{reason}");
    }
}

#[tokio::test]
async fn an_auditor_answers_a_verdict_or_fails() {
    let stage = Stage::new();
    let mut turn = stage.turn(&[]);
    turn.role = Role::Auditor;
    turn.diff = Some("{\"verdict\":\"APPROVED\"}".into());
    for (line, wanted) in [
        (
            r#"echo 'I think:'; echo '{"verdict":"APPROVED","findings":[]}'"#,
            Some(Verdict::Approved),
        ),
        (r#"echo '{"verdict":"NEEDS_WORK"}'"#, Some(Verdict::NeedsWork)),
        ("echo APPROVED", None),
        ("true", None),
        (r#"echo '{"verdict":"APPROVED","findings":[{'"#, None),
        // What only repeats its prompt, and with it the change, approves nothing.
        ("echo \"$1\"", None),
    ] {
        turn.key = line.to_owned();
        let script = stage.script("auditor", line);
        match (stage.take(&command(&format!("{script} {{prompt}}")), &turn).await, wanted) {
            (Outcome::Done { audit: Some(audit), .. }, Some(wanted)) => {
                assert_eq!(audit.verdict, wanted);
            }
            (Outcome::Failed { failure: Failure::Agent, reason, .. }, None) => {
                assert!(reason.contains("its answer could not be read as an audit"), "{reason}");
            }
            (other, _) => panic!("{line}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_terminal_is_given_when_configuration_says_so() {
    let stage = Stage::new();
    let line = "sh -c 'if test -t 1; then echo terminal; else echo pipe; fi'";
    assert_eq!(summary(&stage.take(&command(line), &stage.turn(&[])).await), "pipe");
    let config = AgentConfig { mode: Mode::Tty, ..command(line) };
    assert_eq!(summary(&stage.take(&config, &stage.turn(&[])).await), "terminal");
}

#[tokio::test]
async fn a_template_that_cannot_be_read_starts_nothing() {
    let stage = Stage::new();
    let outcome = stage.take(&command("x 'y"), &stage.turn(&[])).await;
    assert_eq!(failure(&outcome).0, Failure::Environment);
    assert_eq!(stage.manager.panes(), 0);
}

#[tokio::test]
async fn a_known_agent_that_is_missing_is_told_with_the_command_that_installs_it() {
    let stage = Stage::new();
    // None of these is on the machine that tests; where one is, there is nothing to tell.
    for name in ["aider", "qwen", "copilot"] {
        if orchflow_runtime::env::find_program(name).is_none() {
            let outcome =
                stage.take(&command(&format!("{name} {{prompt}}")), &stage.turn(&[])).await;
            let (failed, reason) = failure(&outcome);
            assert_eq!(failed, Failure::Environment);
            assert!(reason.ends_with("installs it"), "{reason}");
        }
    }
}
