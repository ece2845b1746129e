//! A bound on operating system commands, which the parser collects in memory until their
//! end: one that never ends would take all of it.

// Longer than any link or title; a terminal keeps up to 4096 titles on its stack.
const LONGEST: usize = 4096;
const CANCEL: u8 = 0x18;

/// Lets a stream pass, but for what an operating system command has beyond [`LONGEST`].
#[derive(Debug, Default)]
pub(super) struct Bounded(At);

#[derive(Debug, Default, Clone, Copy)]
enum At {
    #[default]
    Text,
    Escape,
    Command(usize),
    TooLong,
}

impl Bounded {
    /// Hands `bytes` on in pieces; the stream may be cut anywhere.
    pub(super) fn pass(&mut self, bytes: &[u8], mut on: impl FnMut(&[u8])) {
        let mut from = 0;
        for (index, byte) in bytes.iter().enumerate() {
            let before = self.0;
            self.0 = before.next(*byte);
            match (before, self.0) {
                (At::Command(_), At::TooLong) => {
                    on(&bytes[from..index]);
                    on(&[CANCEL]);
                }
                (At::TooLong, now) if !matches!(now, At::TooLong) => from = index,
                _ => {}
            }
        }
        if !matches!(self.0, At::TooLong) {
            on(&bytes[from..]);
        }
    }
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
