//! Recorded streams of codex, gemini and opencode.

use super::*;

fn replay(format: Format, recording: &str) -> Said {
    let mut said = Said::new(format);
    recording.lines().for_each(|line| said.line(line));
    said
}

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!("../../tests/recordings/", $name))
    };
}

#[test]
fn a_codex_turn_that_was_held_up_by_429_and_went_on_is_complete() {
    let said = replay(Format::Codex, recording!("codex-429x2-ra3.out"));
    assert_eq!((said.text.as_str(), said.error, said.complete), ("mock: ok", None, true));
    assert_eq!(said.session.as_deref(), Some("01a1fd16-79da-7502-8c8f-f5c45af83884"));
    assert_eq!(said.usage, Some(Usage::default()));
}

#[test]
fn a_codex_turn_that_met_the_usage_limit_failed_in_its_own_words() {
    let said = replay(Format::Codex, recording!("codex-429-usage.out"));
    assert!(said.error.unwrap().contains("hit your usage limit"));
    assert!(!said.complete);
}

#[test]
fn a_gemini_turn_gives_its_last_message_whole_and_what_it_used() {
    let said = replay(Format::Gemini, recording!("gemini-edit.jsonl"));
    assert_eq!(said.text, "gemini scripted turn finished.");
    assert_eq!((said.error, said.complete), (None, true));
    assert_eq!(said.session.as_deref(), Some("41cdc8b4-24a2-43b2-ad54-5001a7d00554"));
    let used = said.usage.unwrap();
    assert_eq!((used.input_tokens, used.output_tokens, used.cost_usd), (1100, 27, None));
}

#[test]
fn an_opencode_turn_gives_its_text_and_cost_and_an_error_names_the_status() {
    let said = replay(Format::Opencode, recording!("opencode-429x2.out"));
    assert_eq!((said.text.as_str(), said.error), ("mock: ok", None));
    let used = said.usage.unwrap();
    assert_eq!((used.input_tokens, used.output_tokens, used.cost_usd), (2400, 2, Some(0.002404)));
    let said = replay(Format::Opencode, recording!("opencode-401.out"));
    assert_eq!(said.error.as_deref(), Some("the model answered 401: bad key"));
}

#[test]
fn a_stream_that_is_cut_anywhere_never_panics_and_is_never_complete() {
    let whole = recording!("gemini-edit.jsonl");
    let last_line = whole.trim_end().rfind('\n').unwrap();
    for end in (0..last_line).filter(|end| whole.is_char_boundary(*end)) {
        assert!(!replay(Format::Gemini, &whole[..end]).complete);
    }
}

#[test]
fn of_endless_plain_text_the_end_is_kept_and_the_cut_is_known() {
    let mut said = Said::new(Format::Text);
    for n in 0..400_000 {
        said.line(&format!("line {n}"));
    }
    assert!(said.cut && said.text.len() <= 2 * LIMIT);
    assert!(said.text.ends_with("line 399999\n"));
}

#[test]
fn a_summary_is_the_end_without_escapes() {
    let text: String = (0..50).map(|n| format!("\u{1b}[1mline {n}\u{1b}[0m\n")).collect();
    let told = summary(&text);
    assert_eq!(told.lines().count(), 12);
    assert!(told.ends_with("line 49"));
}
