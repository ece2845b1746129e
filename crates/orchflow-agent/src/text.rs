//! Output as text: lines of bounded length, without escape sequences, and their tail.

use std::collections::VecDeque;

/// The most bytes of one line that are kept.
pub(crate) const LINE_LIMIT: usize = 4 << 20;
/// Lines of a red command's end that are kept.
pub(crate) const TAIL_LINES: usize = 40;
/// The most bytes of each of them.
const TAIL_LINE_LIMIT: usize = 2_000;

/// Cuts bytes into lines as they come.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
    /// Whether bytes of the line under way were left out.
    cut: bool,
}

impl Lines {
    /// Takes bytes and gives every line that is whole now, without its end. A line that is
    /// too long, or that the log let a part of go, is given cut.
    pub(crate) fn push(&mut self, mut bytes: &[u8], each: &mut (dyn FnMut(&str) + Send)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..end]);
            self.give(each);
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    /// Notes that bytes are missing here.
    pub(crate) fn skip(&mut self) {
        self.cut = true;
    }

    /// Gives the last line when it had no end.
    pub(crate) fn finish(&mut self, each: &mut (dyn FnMut(&str) + Send)) {
        if !self.partial.is_empty() {
            self.give(each);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_LIMIT - self.partial.len();
        self.cut |= bytes.len() > room;
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn give(&mut self, each: &mut (dyn FnMut(&str) + Send)) {
        let text = String::from_utf8_lossy(&self.partial);
        let text = text.strip_suffix('\r').unwrap_or(&text);
        if self.cut {
            each(&format!("{text}…"));
        } else {
            each(text);
        }
        self.cut = false;
        self.partial.clear();
        self.partial.shrink_to(64 * 1024);
    }
}

/// The line without escape sequences and control characters; of a line that was written
/// over (a progress bar), what stood there last.
pub(crate) fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => skip_sequence(&mut letters),
            '\r' if letters.peek().is_some() => text.clear(),
            '\t' => text.push(letter),
            letter if letter.is_control() => {}
            letter => text.push(letter),
        }
    }
    text
}

/// Skips what follows ESC: a control sequence, a string that ends with BEL or ST, or one
/// more letter (ECMA-48, sections 5.3 to 5.6).
fn skip_sequence(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match letters.next() {
        Some('[') => {
            letters.find(|letter| ('@'..='~').contains(letter));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(letter) = letters.next() {
                if letter == '\u{7}' || letter == '\u{1b}' && letters.next_if_eq(&'\\').is_some() {
                    break;
                }
            }
        }
        Some(' '..='/') => {
            letters.next();
        }
        _ => {}
    }
}

/// The last lines of an output, plain.
#[derive(Debug, Default)]
pub(crate) struct Tail(VecDeque<String>);

impl Tail {
    pub(crate) fn push(&mut self, line: &str) {
        if self.0.len() == TAIL_LINES {
            self.0.pop_front();
        }
        self.0.push_back(plain(clip(line, TAIL_LINE_LIMIT)));
    }

    pub(crate) fn text(&self) -> String {
        self.0.iter().map(String::as_str).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// The last line that is not blank.
    pub(crate) fn last_line(&self) -> Option<&str> {
        self.0.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty())
    }
}

/// At most `limit` bytes of the text's beginning, cut between letters.
pub(crate) fn clip(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// At most `limit` bytes of the text's end, cut between letters.
pub(crate) fn clip_start(text: &str, limit: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(limit))..]
}

/// A duration as people say it.
pub(crate) fn span(time: std::time::Duration) -> String {
    if time.subsec_millis() == 0 || time.as_secs() >= 10 {
        format!("{} s", time.as_secs())
    } else {
        format!("{} ms", time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for chunk in chunks {
            lines.push(chunk, &mut |line| seen.push(line.to_owned()));
        }
        lines.finish(&mut |line| seen.push(line.to_owned()));
        seen
    }

    #[test]
    fn lines_are_whole_however_the_bytes_were_cut_and_the_last_needs_no_end() {
        assert_eq!(lines(&[b"on", b"e\ntw", b"o\r\n", b"\xc3", b"\xa9"]), ["one", "two", "é"]);
    }

    #[test]
    fn a_line_without_end_is_kept_to_the_limit_and_marked() {
        let chunk = vec![b'x'; 1 << 20];
        let seen = lines(&[&chunk, &chunk, &chunk, &chunk, &chunk, b"y\nnext\n"]);
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0].len(), LINE_LIMIT + "…".len());
        assert_eq!(seen[1], "next");
    }

    #[test]
    fn plain_text_has_no_escape_sequences_and_no_overwritten_progress() {
        for (given, wanted) in [
            ("\u{1b}[1;31merror\u{1b}[0m: bad", "error: bad"),
            ("\u{1b}]0;title\u{7}shown", "shown"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("10%\r50%\r100%", "100%"),
            ("\u{1b}(Bplain\u{8}\ttab", "plain\ttab"),
            ("cut \u{1b}[3", "cut "),
        ] {
            assert_eq!(plain(given), wanted, "{given:?}");
        }
    }

    #[test]
    fn a_tail_is_the_last_forty_lines() {
        let mut tail = Tail::default();
        (0..100).for_each(|n| tail.push(&n.to_string()));
        assert_eq!(tail.text().lines().count(), TAIL_LINES);
        assert!(tail.text().starts_with("60\n"));
        assert_eq!(tail.last_line(), Some("99"));
    }
}
