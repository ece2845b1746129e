//! What the parser must not be given: a character cut in two, of which it would drop
//! what follows (vte 0.15), and an operating system command without end, which it would
//! collect in memory until none is left.

// Longer than any link or title; a terminal keeps up to 4096 titles on its stack.
const LONGEST: usize = 4096;
const CANCEL: u8 = 0x18;

/// Lets a stream pass in pieces the parser can take.
#[derive(Debug, Default)]
pub(super) struct Filter {
    at: At,
    // The beginning of a character whose rest has not come yet; at most 3 bytes.
    cut: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum At {
    #[default]
    Text,
    Escape,
    Command(usize),
    TooLong,
}

impl Filter {
    /// Hands `bytes` on; the stream may be cut anywhere.
    pub(super) fn pass(&mut self, bytes: &[u8], on: impl FnMut(&[u8])) {
        if self.cut.is_empty() {
            let (whole, cut) = bytes.split_at(bytes.len() - cut_at_end(bytes));
            self.cut.extend(cut);
            return self.bound(whole, on);
        }
        let mut joined = std::mem::take(&mut self.cut);
        joined.extend(bytes);
        self.cut = joined.split_off(joined.len() - cut_at_end(&joined));
        self.bound(&joined, on);
    }

    // Cancels a command at its longest, and swallows the rest of it.
    fn bound(&mut self, bytes: &[u8], mut on: impl FnMut(&[u8])) {
        let mut from = 0;
        for (index, byte) in bytes.iter().enumerate() {
            let before = self.at;
            self.at = before.next(*byte);
            match (before, self.at) {
                (At::Command(_), At::TooLong) => {
                    on(&bytes[from..index]);
                    on(&[CANCEL]);
                }
                (At::TooLong, now) if !matches!(now, At::TooLong) => from = index,
                _ => {}
            }
        }
        if !matches!(self.at, At::TooLong) {
            on(&bytes[from..]);
        }
    }
}

/// How many bytes at the end are the beginning of a character.
fn cut_at_end(bytes: &[u8]) -> usize {
    let begins = |count: &usize| match std::str::from_utf8(&bytes[bytes.len() - count..]) {
        Ok(_) => false,
        Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
    };
    (1..=bytes.len().min(3)).rev().find(begins).unwrap_or(0)
}

impl At {
    const fn next(self, byte: u8) -> Self {
        match (self, byte) {
            (_, 0x1b) => Self::Escape,
            (_, 0x18 | 0x1a) => Self::Text,
            (Self::Escape, b']') => Self::Command(0),
            // Control characters inside an escape sequence do not end it.
            (Self::Escape, 0x00..=0x1f | 0x7f) => Self::Escape,
            (Self::Command(_) | Self::TooLong, 0x07) => Self::Text,
            (Self::Command(length), _) if length < LONGEST => Self::Command(length + 1),
            (Self::Command(_) | Self::TooLong, _) => Self::TooLong,
            (Self::Text | Self::Escape, _) => Self::Text,
        }
    }
}
