//! The screen of a pane: what a terminal of its size would show by now.
//!
//! The model is also the one that answers the questions programs ask a terminal (where
//! the cursor is, what the terminal can do). Viewers paint, and never answer.

mod alacritty;
mod filter;
#[cfg(test)]
mod tests;

pub use alacritty::AlacrittyScreen;

use orchflow_types::pane::Size;

/// A cell of the screen, counted from 0 at the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Cells from the left.
    pub col: u16,
    /// Rows from the top.
    pub row: u16,
}

/// A terminal without a window.
pub trait Screen: Send {
    /// Takes what the program printed; the stream may be cut anywhere.
    fn feed(&mut self, bytes: &[u8]);
    /// Gives it another size; text is wrapped anew as terminals do.
    fn resize(&mut self, size: Size);
    /// Its rows as text, one line each, without white space at their ends.
    fn text(&self) -> String;
    /// Where the cursor is.
    fn cursor(&self) -> Position;
    /// Its size.
    fn size(&self) -> Size;
    /// The last `count` rows that scrolled off the top, the oldest first.
    fn history(&self, count: usize) -> Vec<String>;
    /// Takes what a terminal would have answered to the program since the last call.
    fn replies(&mut self) -> Vec<u8>;
}

/// The nearest size a screen can have: 2 to 1000 columns, 1 to 1000 rows.
#[must_use]
pub fn possible(size: Size) -> Size {
    // Two columns, because a wide character needs both; a thousand, because cells are memory.
    Size { cols: size.cols.clamp(2, 1000), rows: size.rows.clamp(1, 1000) }
}
