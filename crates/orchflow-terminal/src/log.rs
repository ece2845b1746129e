//! The output log: every byte a pane printed, by its offset, in a file of bounded size.
//!
//! A log keeps the head of the stream and its tail; what was let go between the two is
//! known to the byte. Offsets count bytes from the first one ever printed and never
//! change their meaning. It is written with plain writes: it outlives the death of the
//! daemon, not the death of the machine.

mod layout;
mod lines;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use layout::Bounds;
pub use reader::{Chunk, LogReader};
pub(crate) use writer::LogWriter;

use std::ops::Range;
use std::sync::Arc;

pub(crate) use layout::Progress;

/// What a log says of itself at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Bytes printed so far; the offset where the stream goes on.
    pub len: u64,
    /// The first offset of the tail: all from here on is there.
    pub kept_from: u64,
    /// Every range of bytes that is no longer, or was never, there.
    pub gaps: Vec<Range<u64>>,
    /// Whether nothing will be added any more.
    pub ended: bool,
    /// What the system said when the last write failed; none while writes succeed.
    pub failing: Option<Arc<str>>,
}

impl From<&Progress> for Summary {
    fn from(progress: &Progress) -> Self {
        Self {
            len: progress.len,
            kept_from: progress.kept_from(),
            gaps: progress.gaps(),
            ended: progress.ended,
            failing: progress.failing.clone(),
        }
    }
}
