//! Recorded streams of Claude Code.

use super::*;

fn replay(recording: &str) -> Reader {
    let mut reader = Reader::default();
    for line in recording.lines() {
        reader.line(line);
    }
    reader
}

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!("../../../tests/recordings/", $name))
    };
}

#[test]
fn an_edit_is_told_with_its_session_words_and_use() {
    let reader = replay(recording!("claude-edit.jsonl"));
    assert_eq!(reader.session.as_deref(), Some("23015ea4-c3eb-42b9-9058-31c69c068d42"));
    let result = reader.result.unwrap();
    assert_eq!(result.failure(), None);
    assert_eq!(result.text, "Done: scripted tool ran.");
    let used = result.usage;
    assert_eq!((used.input_tokens, used.output_tokens, used.cached_tokens), (2500, 51, 0));
    assert!((used.cost_usd.unwrap() - 0.01102).abs() < 1e-9);
    assert!(reader.denied.is_empty() && result.denied.is_empty());
}

#[test]
fn a_denied_tool_is_told_although_the_turn_says_success() {
    let reader = replay(recording!("claude-denied.jsonl"));
    assert_eq!(reader.denied, ["Bash"]);
    let result = reader.result.unwrap();
    assert_eq!(result.denied, ["Bash"]);
    assert_eq!(result.failure(), None);
}

#[test]
fn a_rate_limit_that_outlasts_every_try_is_a_failure_although_the_subtype_says_success() {
    let reader = replay(recording!("claude-429-exhaust.out"));
    assert_eq!(reader.retry.unwrap().to_string(), "try 2 was answered 429 rate_limit");
    let why = reader.result.unwrap().failure().unwrap();
    assert_eq!(
        why,
        "gave up: the model's rate limit or quota was reached (429): \
         API Error: Request rejected (429) · mock rate limit"
    );
}

#[test]
fn a_rate_limit_that_passes_is_no_failure() {
    let reader = replay(recording!("claude-429x2-ra3.out"));
    let retry = Retry { attempt: 2, status: 429, error: "rate_limit".into() };
    assert_eq!(reader.retry, Some(retry));
    let result = reader.result.unwrap();
    assert_eq!((result.failure(), result.text.as_str()), (None, "mock: ok"));
}

#[test]
fn the_end_of_a_resumed_session_alone_is_read() {
    let reader = replay(recording!("claude-resume.json"));
    assert_eq!(reader.session.as_deref(), Some("23015ea4-c3eb-42b9-9058-31c69c068d42"));
    assert_eq!(reader.result.unwrap().failure(), None);
}

#[test]
fn every_way_to_fail_is_named() {
    for (event, wanted) in [
        (r#"{"subtype":"success","is_error":true,"result":"no"}"#, "gave up: no"),
        (r#"{"subtype":"error_max_turns","is_error":false}"#, "gave up: error max turns"),
        (
            r#"{"subtype":"success","is_error":true,"api_error_status":529,"result":"x"}"#,
            "gave up: the model is overloaded (529): x",
        ),
        (
            r#"{"subtype":"success","is_error":true,"api_error_status":401,"result":"x"}"#,
            "gave up: the model refused the login (401): x",
        ),
        (
            r#"{"subtype":"success","result":"says nothing of errors"}"#,
            "gave up: says nothing of errors",
        ),
        (r#"{}"#, "gave up: "),
    ] {
        let event = serde_json::from_str(event).unwrap();
        let why = Ending::read(&event).failure().unwrap();
        assert!(why.starts_with(wanted), "{why}");
    }
}

#[test]
fn unknown_events_broken_lines_and_other_output_are_passed_over() {
    let mut reader = Reader::default();
    for (line, is_event) in [
        ("", false),
        ("npm warn deprecated", false),
        ("{\"type\":\"assist", false),
        ("[1,2]", false),
        ("{\"type\":7}", false),
        ("{\"type\":\"from_the_future\",\"x\":[{}]}", true),
        ("{\"type\":\"system\"}", true),
        ("{\"type\":\"user\",\"message\":null}", true),
    ] {
        assert_eq!(reader.line(line), is_event, "{line}");
    }
    assert_eq!(reader.result, None);
    let whole = recording!("claude-denied.jsonl");
    let last_line = whole.trim_end().rfind('\n').unwrap();
    for end in (0..last_line).step_by(7).filter(|end| whole.is_char_boundary(*end)) {
        assert_eq!(replay(&whole[..end]).result, None);
    }
}
