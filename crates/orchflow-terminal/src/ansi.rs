//! Terminal output as plain text, for reports: what a person would have read, and nothing
//! that could move a cursor, hide words or turn their order around.

use alacritty_terminal::vte::{Parser, Perform};

/// The text of `bytes`: escape sequences, control characters and invisible characters
/// taken away, lines ended by `\n`, and each line as the last carriage return left it.
/// What is not UTF-8 becomes U+FFFD.
#[must_use]
pub fn plain(bytes: &[u8]) -> String {
    let mut text = Plain::default();
    Parser::new().advance(&mut text, bytes);
    text.end_line();
    text.done
}

/// Whether a character may stand in a report: no control character, no control of the
/// writing direction, none of the invisible ones that carry hidden text.
#[must_use]
pub fn is_shown(c: char) -> bool {
    let steers = matches!(c,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let hidden =
        matches!(c, '\u{FEFF}' | '\u{200B}' | '\u{2028}' | '\u{2029}' | '\u{E0000}'..='\u{E007F}');
    !(c.is_control() || steers || hidden)
}

#[derive(Default)]
struct Plain {
    done: String,
    line: String,
    // Set by a carriage return: what comes next stands in place of the line.
    overwrite: bool,
}

impl Plain {
    fn end_line(&mut self) {
        self.done.push_str(&self.line);
        self.line.clear();
        self.overwrite = false;
    }
}

impl Perform for Plain {
    fn print(&mut self, c: char) {
        if !is_shown(c) {
            return;
        }
        if std::mem::take(&mut self.overwrite) {
            self.line.clear();
        }
        self.line.push(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' | 0x0b | 0x0c => {
                self.end_line();
                self.done.push('\n');
            }
            b'\r' => self.overwrite = true,
            b'\t' => self.print(' '),
            0x08 if !self.overwrite => {
                self.line.pop();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_titles_and_links_are_taken_away() {
        let bytes = b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x1bP+q\x1b\\end\r\nnext";
        assert_eq!(plain(bytes), "red link end\nnext");
    }

    #[test]
    fn a_progress_bar_shows_where_it_ended() {
        assert_eq!(plain(b"10%\r50%\r100%\r\ndone\r"), "100%\ndone");
    }

    #[test]
    fn overstruck_letters_show_once() {
        assert_eq!(plain(b"N\x08NA\x08A"), "NA");
    }

    #[test]
    fn words_that_hide_or_turn_around_are_shown_as_they_are_stored() {
        let text = "a\u{202E}b\u{2066}c\u{200B}d\u{E0041}e\u{FEFF}f";
        assert_eq!(plain(text.as_bytes()), "abcdef");
    }

    #[test]
    fn what_is_not_utf8_is_marked_and_the_rest_stays() {
        assert_eq!(plain(b"a\xff\xfeb"), "a\u{FFFD}\u{FFFD}b");
    }

    proptest! {
        #[test]
        fn no_bytes_whatever_leave_a_control_character(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(plain(&bytes).chars().all(|c| c == '\n' || is_shown(c)));
        }
    }
}
