//! What a command says: data on stdout, talk on stderr, through handles that never panic.
//!
//! A reader that went away (`orchflow runs list | head -1`) ends the command quietly, as
//! SIGPIPE would: exit code 141.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use orchflow_client::Error;
use orchflow_runtime::env;
use serde::Serialize;

/// What a shell shows for a command that SIGPIPE ended.
pub(crate) const CLOSED_PIPE: u8 = 141;

/// How this command talks. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    stdout: Face,
    stderr: Face,
    stdin_is_terminal: bool,
}

#[derive(Debug, Clone, Copy)]
struct Face {
    terminal: bool,
    color: bool,
}

/// A way to set text apart on a terminal that has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Headings and names.
    Bold,
    /// What matters less.
    Dim,
    /// It went well.
    Green,
    /// It went wrong.
    Red,
    /// It waits, or wants a look.
    Yellow,
    /// It is under way.
    Cyan,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Cyan => "36",
        }
    }

    /// `text` in this style, or bare when `color` is off.
    #[must_use]
    pub(crate) fn paint(self, text: &str, color: bool) -> String {
        if color && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", self.code())
        } else {
            text.to_owned()
        }
    }
}

impl Output {
    /// The handles of this process.
    #[must_use]
    pub(crate) fn of_process(json: bool) -> Self {
        let plain = env::var("NO_COLOR").is_some() || env::var("TERM").as_deref() == Some("dumb");
        let face = |terminal: bool| Face { terminal, color: terminal && !plain };
        Self {
            json,
            stdout: face(io::stdout().is_terminal()),
            stderr: face(io::stderr().is_terminal()),
            stdin_is_terminal: io::stdin().is_terminal(),
        }
    }

    /// Whether data is wanted as JSON.
    #[must_use]
    pub(crate) const fn json(self) -> bool {
        self.json
    }

    /// Whether a person can be asked: both sides of the talk are a terminal.
    #[must_use]
    pub(crate) const fn can_ask(self) -> bool {
        self.stdin_is_terminal && self.stderr.terminal && !self.json
    }

    /// Whether progress may be redrawn in place (on stderr).
    #[must_use]
    pub(crate) const fn live(self) -> bool {
        self.stdout.terminal && self.stderr.terminal && !self.json
    }

    /// Whether a command may have the caller's terminal for its own.
    #[must_use]
    pub(crate) const fn has_terminal(self) -> bool {
        self.stdin_is_terminal && self.stdout.terminal
    }

    /// Whether talk may have colours.
    #[must_use]
    pub(crate) const fn talk_color(self) -> bool {
        self.stderr.color
    }

    /// Text in a style, for stdout.
    #[must_use]
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        style.paint(text, self.stdout.color)
    }

    /// A line of data.
    pub(crate) fn line(self, text: impl Display) {
        write_to(&mut io::stdout().lock(), format!("{text}\n").as_bytes());
    }

    /// Bytes of data, as they are.
    pub(crate) fn bytes(self, bytes: &[u8]) {
        write_to(&mut io::stdout().lock(), bytes);
    }

    /// The same, for commands that have something to end before they may go: answers
    /// whether anybody still reads.
    pub(crate) fn try_bytes(self, bytes: &[u8]) -> bool {
        put(&mut io::stdout().lock(), bytes)
    }

    /// Bytes on stderr, as they are.
    pub(crate) fn talk_bytes(self, bytes: &[u8]) {
        write_to(&mut io::stderr().lock(), bytes);
    }

    /// A line of talk.
    pub(crate) fn talk(self, text: impl Display) {
        write_to(&mut io::stderr().lock(), format!("{text}\n").as_bytes());
    }

    /// A result: as JSON when that was asked for, else as `text` tells it.
    pub(crate) fn result<T: Serialize>(self, value: &T, text: impl FnOnce(Self, &T)) {
        if self.json {
            self.value(value, true);
        } else {
            text(self, value);
        }
    }

    /// One value as JSON: over several lines for a person's eye, or in one for JSON lines.
    pub(crate) fn value<T: Serialize>(self, value: &T, pretty: bool) {
        let text = if pretty && self.stdout.terminal {
            serde_json::to_string_pretty(value)
        } else {
            serde_json::to_string(value)
        };
        self.line(text.expect("what the protocol sends is JSON with text keys"));
    }

    /// An error and its hint, on stderr; as one JSON object with `--json`.
    pub(crate) fn error(self, error: &Error) {
        if self.json {
            let object = serde_json::json!({ "error": error });
            self.talk(object);
            return;
        }
        let word = Style::Red.paint("error:", self.stderr.color);
        self.talk(format_args!("{word} {}", visible(&error.message)));
        if let Some(hint) = &error.data.hint {
            let word = Style::Cyan.paint("hint:", self.stderr.color);
            self.talk(format_args!("{word} {}", visible(hint)));
        }
    }

    /// Rows with their columns in line; the last column is not padded, and on a terminal a
    /// row ends where the screen does.
    pub(crate) fn table(self, head: &[&str], rows: &[Vec<String>]) {
        let screen = crossterm::terminal::size().ok().filter(|_| self.stdout.terminal);
        let cells = screen.map_or(usize::MAX, |(columns, _)| usize::from(columns).max(20));
        for line in table(head, rows, cells, self.stdout.color) {
            self.line(line);
        }
    }
}

/// Writes, and ends the process when nobody reads: the quiet end SIGPIPE gives other programs.
fn write_to(to: &mut impl Write, bytes: &[u8]) {
    if !put(to, bytes) {
        std::process::exit(i32::from(CLOSED_PIPE));
    }
}

/// Whether somebody reads; a disk that is full is no reason to end.
fn put(to: &mut impl Write, bytes: &[u8]) -> bool {
    let done = to.write_all(bytes).and_then(|()| to.flush());
    done.map_or_else(|error| error.kind() != io::ErrorKind::BrokenPipe, |()| true)
}

fn table(head: &[&str], rows: &[Vec<String>], cells: usize, color: bool) -> Vec<String> {
    let shown =
        |row: &[String]| -> Vec<String> { row.iter().map(|cell| in_one_line(cell)).collect() };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| shown(row)).collect();
    let width = |column: usize| {
        let longest = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max();
        longest.unwrap_or(0).max(head[column].len())
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |row: &[String]| {
        let padded: Vec<String> =
            row.iter().zip(&widths).map(|(cell, to)| pad(cell, *to)).collect();
        cut(padded.join("  ").trim_end(), cells)
    };
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let mut lines = vec![Style::Dim.paint(&line(&head), color)];
    lines.extend(rows.iter().map(|row| line(row)));
    lines
}

/// A cell is one line, of a length an eye takes in: the prompts of agents are pages long.
fn in_one_line(cell: &str) -> String {
    const MOST: usize = 100;
    let words: Vec<&str> = cell.split_whitespace().collect();
    cut(&visible(&words.join(" ")), MOST)
}

fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// Cells the text takes on a terminal.
#[must_use]
pub(crate) fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// The text cut to `cells`, with an ellipsis where something was left out.
#[must_use]
pub(crate) fn cut(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for symbol in text.chars() {
        used += unicode_width::UnicodeWidthChar::width(symbol).unwrap_or(0);
        if used + 1 > cells {
            break;
        }
        kept.push(symbol);
    }
    if cells > 0 {
        kept.push('…');
    }
    kept
}

/// The text with everything a terminal would act on, or an eye would miss, spelled out:
/// control characters, escape sequences, invisible and direction-changing characters.
/// Line breaks stay.
#[must_use]
pub(crate) fn visible(text: &str) -> String {
    orchflow_types::text::escaped(text).replace('\t', "    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_in_line_and_the_last_has_no_blanks_behind_it() {
        let rows = vec![vec!["a".into(), "first".into()], vec!["日本".into(), "x".into()]];
        let lines = table(&["ID", "TITLE"], &rows, usize::MAX, false);
        assert_eq!(lines, ["ID    TITLE", "a     first", "日本  x"]);
        assert_eq!(table(&["ID", "TITLE"], &rows, 10, false)[1], "a     fir…");
    }

    #[test]
    fn a_long_line_is_cut_to_its_cells_and_says_so() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(width(&cut("日本語日本語", 6)), 5);
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn escapes_and_characters_that_change_the_direction_are_spelled_out() {
        assert_eq!(visible("a\x1b[2Jb\u{202e}c\nd"), "a\\u{1b}[2Jb\\u{202e}c\nd");
    }
}
