//! Reads an auditor's answer: a verdict that is plainly there, or none at all.
//!
//! The text around the answer does not matter; words in prose never count. Where two
//! readings are possible the one that approves less is taken.

use orchflow_types::run::{Audit, Finding, Severity, Verdict};
use serde_json::Value;

/// The answer holds no verdict that can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// There is no JSON object with a verdict.
    #[error("its answer could not be read as an audit: it holds no JSON object with a verdict")]
    NoVerdict,
    /// There is a verdict in what is no whole JSON object.
    #[error("its answer could not be read as an audit: the JSON object is broken or cut off")]
    Broken,
    /// The verdict is another word than the two there are.
    #[error("its answer could not be read as an audit: `{0}` is neither APPROVED nor NEEDS_WORK")]
    Word(String),
    /// The findings are no list.
    #[error("its answer could not be read as an audit: the findings are not a list")]
    Findings,
    /// The answer is longer than what is kept of one.
    #[error("its answer could not be read as an audit: it is too long")]
    TooLong,
}

/// Reads the verdict out of an answer. Of several, one that says NEEDS_WORK wins; an
/// approval that comes with a finding of severity `error` counts as NEEDS_WORK.
///
/// # Errors
/// [`Unreadable`]; what cannot be read never approves.
pub fn read(text: &str) -> Result<Audit, Unreadable> {
    let (answers, rest) = objects(text);
    let mut approved = None;
    let mut refused = None;
    let mut bad = None;
    for answer in &answers {
        match understand(answer) {
            Ok(audit) if audit.verdict == Verdict::Approved => approved = Some(audit),
            Ok(audit) => refused = Some(audit),
            Err(unreadable) => bad = Some(unreadable),
        }
    }
    if let Some(audit) = refused {
        return Ok(audit);
    }
    if names_verdict(&rest) {
        return Err(Unreadable::Broken);
    }
    match bad {
        Some(unreadable) => Err(unreadable),
        None => approved.ok_or(Unreadable::NoVerdict),
    }
}

/// The outermost JSON objects that have a verdict, in order, and the text without any
/// object that could be read.
fn objects(text: &str) -> (Vec<Value>, String) {
    let mut found = Vec::new();
    let mut rest = String::new();
    let mut from = 0;
    while let Some(at) = text[from..].find('{').map(|at| at + from) {
        rest.push_str(&text[from..at]);
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        if let Some(Ok(value)) = values.next() {
            from = at + values.byte_offset();
            if value.get("verdict").is_some() {
                found.push(value);
            }
        } else {
            rest.push('{');
            from = at + 1;
        }
    }
    rest.push_str(&text[from..]);
    (found, rest)
}

/// Whether a key `"verdict"` stands where no object could be read.
fn names_verdict(text: &str) -> bool {
    text.match_indices("\"verdict\"")
        .any(|(at, key)| text[at + key.len()..].trim_start().starts_with(':'))
}

fn understand(answer: &Value) -> Result<Audit, Unreadable> {
    let word = &answer["verdict"];
    let mut verdict = serde_json::from_value(word.clone())
        .map_err(|_| Unreadable::Word(word.as_str().map_or(word.to_string(), str::to_owned)))?;
    let findings: Vec<Finding> = match answer.get("findings") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(all)) => all.iter().filter_map(finding).collect(),
        // A refusal stands, whatever it looks like.
        Some(_) if verdict == Verdict::NeedsWork => Vec::new(),
        Some(_) => return Err(Unreadable::Findings),
    };
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        verdict = Verdict::NeedsWork;
    }
    Ok(Audit { verdict, findings })
}

/// A finding, as it is meant: a bare sentence is one, too.
fn finding(given: &Value) -> Option<Finding> {
    let text = |key: &str| given.get(key).and_then(Value::as_str).map(str::to_owned);
    let message = given.as_str().map(str::to_owned).or_else(|| text("message"))?;
    let line = given.get("line").and_then(|line| {
        line.as_u64().or_else(|| line.as_str()?.parse().ok()).and_then(|line| line.try_into().ok())
    });
    Some(Finding {
        severity: severity(text("severity").unwrap_or_default().to_ascii_lowercase().as_str()),
        file: text("file"),
        line,
        message,
        suggestion: text("suggestion"),
    })
}

fn severity(word: &str) -> Severity {
    match word {
        "error" | "critical" | "blocker" | "high" | "major" => Severity::Error,
        "info" | "note" | "nit" | "suggestion" => Severity::Info,
        _ => Severity::Warning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> Result<Verdict, Unreadable> {
        read(text).map(|audit| audit.verdict)
    }

    #[test]
    fn a_verdict_is_read_wherever_it_stands_in_the_text() {
        use Verdict::{Approved, NeedsWork};
        for (text, wanted) in [
            (r#"{"verdict":"APPROVED","findings":[]}"#, Approved),
            (r#"{"verdict":"APPROVED"}"#, Approved),
            (r#"{"verdict":"NEEDS_WORK","findings":null}"#, NeedsWork),
            (
                "I looked.\n```json\n{\"verdict\": \"APPROVED\", \"mood\": 7}\n```\nBye {}.",
                Approved,
            ),
            (r#"fn main() { {"verdict":"APPROVED","findings":[]} "#, Approved),
            (r#"{"other":1} {"verdict":"NEEDS_WORK"} {"x":2}"#, NeedsWork),
            (r#"{"verdict":"NEEDS_WORK","findings":"many"}"#, NeedsWork),
        ] {
            assert_eq!(verdict(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn of_two_verdicts_the_one_that_refuses_wins() {
        let (yes, no) = (r#"{"verdict":"APPROVED"}"#, r#"{"verdict":"NEEDS_WORK"}"#);
        let word = r#"{"verdict":"LGTM"}"#;
        for text in [[yes, no], [no, yes], [no, word], [word, no]] {
            assert_eq!(verdict(&text.concat()), Ok(Verdict::NeedsWork), "{text:?}");
        }
        assert_eq!(verdict(&[yes, word].concat()), Err(Unreadable::Word("LGTM".into())));
    }

    #[test]
    fn an_approval_with_an_error_among_its_findings_is_a_refusal() {
        let text =
            r#"{"verdict":"APPROVED","findings":[{"severity":"critical","message":"leaks"}]}"#;
        assert_eq!(verdict(text), Ok(Verdict::NeedsWork));
    }

    #[test]
    fn what_cannot_be_read_never_approves() {
        for (text, wanted) in [
            ("", Unreadable::NoVerdict),
            ("APPROVED", Unreadable::NoVerdict),
            ("The verdict is APPROVED.", Unreadable::NoVerdict),
            (r#"{"result":{"verdict":"APPROVED"}}"#, Unreadable::NoVerdict),
            (r#"{"verdict":"APPROVED","findings":["#, Unreadable::Broken),
            (r#"{"verdict":"NEEDS_WORK","was":{"verdict":"APPROVED"}"#, Unreadable::Broken),
            (r#"{"verdict": "NEEDS_WO {"verdict":"APPROVED"}"#, Unreadable::Broken),
            (r#"{"verdict":"approved"}"#, Unreadable::Word("approved".into())),
            (r#"{"verdict":"APPROVED "}"#, Unreadable::Word("APPROVED ".into())),
            (r#"{"verdict":true}"#, Unreadable::Word("true".into())),
            (r#"{"verdict":"APPROVED","findings":"none"}"#, Unreadable::Findings),
        ] {
            assert_eq!(read(text), Err(wanted), "{text}");
        }
    }

    #[test]
    fn findings_are_read_as_they_are_meant() {
        let text = r#"{"verdict":"NEEDS_WORK","findings":[
            {"severity":"error","file":"a.rs","line":3,"message":"m","suggestion":"s","extra":1},
            {"severity":"odd","line":"12","message":"n"}, "bare", {"severity":"error"}, 5]}"#;
        let bare = |severity, message: &str| Finding {
            severity,
            file: None,
            line: None,
            message: message.into(),
            suggestion: None,
        };
        let full = Finding {
            file: Some("a.rs".into()),
            line: Some(3),
            suggestion: Some("s".into()),
            ..bare(Severity::Error, "m")
        };
        let odd = Finding { line: Some(12), ..bare(Severity::Warning, "n") };
        let read = read(text).unwrap();
        assert_eq!(read.findings, [full, odd, bare(Severity::Warning, "bare")]);
    }

    #[test]
    fn a_hostile_answer_is_read_in_no_time() {
        assert_eq!(read(&"{\"a\":[".repeat(100_000)), Err(Unreadable::NoVerdict));
        assert_eq!(read(&"{".repeat(1_000_000)), Err(Unreadable::NoVerdict));
    }
}
