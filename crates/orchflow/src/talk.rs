//! Small words of every command's talk: ages, counts, quoted commands, one question.

use std::fmt::Write;
use std::io::BufRead;

use orchflow_runtime::Clock;
use orchflow_types::{ErrorKind, Timestamp};

use crate::output::{Output, visible};
use crate::stop::{INTERRUPTED, Stop};

/// How long ago a moment was, in its largest unit: `3 min ago`.
#[must_use]
pub(crate) fn ago(at: Timestamp) -> String {
    let millis = Clock::system().now().millis_since(at);
    match millis / 1000 {
        0..2 => "just now".to_owned(),
        seconds @ 2..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} d ago", seconds / 86_400),
    }
}

/// A span of time in its one or two largest units: `42 s`, `3 min`, `2 h 5 min`.
#[must_use]
pub(crate) fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// `1 run`, `2 runs`.
#[must_use]
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Words as a shell would have to be given them.
#[must_use]
pub(crate) fn quoted(words: &[String]) -> String {
    let mut line = String::new();
    for word in words {
        let bare = |symbol: char| symbol.is_ascii_alphanumeric() || "-_./=:,@%+".contains(symbol);
        let separator = if line.is_empty() { "" } else { " " };
        let _ = if !word.is_empty() && word.chars().all(bare) {
            write!(line, "{separator}{word}")
        } else {
            write!(line, "{separator}'{}'", word.replace('\'', r"'\''"))
        };
    }
    line
}

/// Words as one would type them in a project's folder: a path into it is relative.
#[must_use]
pub(crate) fn from_inside(words: &[String], root: &str) -> Vec<String> {
    let inside = |word: &str| Some(word.strip_prefix(root)?.strip_prefix('/')?.to_owned());
    words.iter().map(|word| inside(word).unwrap_or_else(|| word.clone())).collect()
}

/// Asks for one line on the terminal; none when the input has ended.
///
/// # Errors
/// 130 on Ctrl-C.
pub(crate) async fn ask(out: Output, question: &str) -> Result<Option<String>, Stop> {
    out.talk_bytes(visible(question).as_bytes());
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|read| (read > 0).then_some(line))
    });
    tokio::select! {
        line = read => match line {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(error)) => {
                Err(Stop::new(ErrorKind::File, format!("cannot read the answer: {error}")))
            }
            Err(error) => Err(Stop::new(ErrorKind::Internal, error.to_string())),
        },
        _ = tokio::signal::ctrl_c() => {
            out.talk("");
            Err(Stop::Code(INTERRUPTED))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_largest_units() {
        let told: Vec<String> = [900, 59_000, 61_000, 7_500_000, 90_000_000].map(span).into();
        assert_eq!(told, ["0 s", "59 s", "1 min 1 s", "2 h 5 min", "1 d 1 h"]);
    }

    #[test]
    fn words_with_blanks_or_signs_are_quoted_and_plain_ones_are_not() {
        let words = ["git", "commit", "-m", "it's done", ""].map(str::to_owned);
        assert_eq!(quoted(&words), r"git commit -m 'it'\''s done' ''");
    }
}
