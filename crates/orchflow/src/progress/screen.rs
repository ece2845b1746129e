//! A few lines redrawn in place on stderr, without flicker: one write per frame, only the
//! frames that differ.

use std::fmt::Write;

use crate::output::Output;

/// The lines that stand on the terminal now.
#[derive(Debug)]
pub(crate) struct Screen {
    out: Output,
    drawn: Vec<String>,
}

impl Screen {
    /// Nothing drawn yet.
    #[must_use]
    pub(crate) const fn new(out: Output) -> Self {
        Self { out, drawn: Vec::new() }
    }

    /// Columns and rows there are.
    #[must_use]
    pub(crate) fn size(&self) -> (usize, usize) {
        let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
        (usize::from(columns.max(1)), usize::from(rows.max(3)))
    }

    /// Shows these lines instead of those before.
    pub(crate) fn draw(&mut self, lines: Vec<String>) {
        if lines != self.drawn {
            self.out.talk_bytes(frame(self.drawn.len(), &lines).as_bytes());
            self.drawn = lines;
        }
    }

    /// Takes the lines away, so that other talk may follow.
    pub(crate) fn clear(&mut self) {
        self.draw(Vec::new());
    }

    /// Lets the lines stand as they are; what is drawn next comes below them.
    pub(crate) fn leave(&mut self) {
        self.drawn.clear();
    }
}

/// One frame: back up over the lines before, each line over the old one, the rest erased.
/// Synchronized (DEC mode 2026), where the terminal knows it, and always in one write.
fn frame(before: usize, lines: &[String]) -> String {
    let mut text = String::from("\x1b[?2026h");
    if before > 0 {
        let _ = write!(text, "\x1b[{before}A");
    }
    for line in lines {
        let _ = write!(text, "\r{line}\x1b[K\n");
    }
    text.push_str("\r\x1b[J\x1b[?2026l");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_goes_back_over_the_last_one_and_erases_what_is_left() {
        let lines = ["one".to_owned(), "two".to_owned()];
        assert_eq!(
            frame(3, &lines),
            "\x1b[?2026h\x1b[3A\rone\x1b[K\n\rtwo\x1b[K\n\r\x1b[J\x1b[?2026l"
        );
        assert!(!frame(0, &lines).contains('A'));
    }
}
