//! How a log lies in its file: a header of text, the head, then the tail as a ring.
//!
//! The ring is longer than the tail by one write. So the bytes a write runs over have
//! left the tail before it begins, and a log whose writer died in the middle of a write
//! still keeps what its header says.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The most that one write adds; longer ones are cut.
pub(super) const WRITE: usize = 64 * 1024;
/// Bytes before the head.
pub(super) const HEADER: u64 = 1024;
const MAGIC: &str = "orchflow output log 1";
// Ranges beyond this many are told as one that holds them both.
const LOST_RANGES: usize = 8;

/// How much of a stream is kept, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// From its beginning.
    pub head: u64,
    /// From its end.
    pub tail: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { head: 256 * 1024, tail: 16 * 1024 * 1024 }
    }
}

/// How far a log has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) bounds: Bounds,
    pub(crate) len: u64,
    /// What could not be written, in order.
    pub(crate) lost: Vec<Range<u64>>,
    pub(crate) ended: bool,
    pub(crate) failing: Option<Arc<str>>,
}

impl Progress {
    pub(crate) const fn new(bounds: Bounds) -> Self {
        Self { bounds, len: 0, lost: Vec::new(), ended: false, failing: None }
    }

    /// The first offset of the tail; 0 as long as head and tail meet.
    pub(super) const fn kept_from(&self) -> u64 {
        let tail = self.len.saturating_sub(self.bounds.tail);
        if tail <= self.bounds.head { 0 } else { tail }
    }

    /// What is not there, in order, without touching or overlapping ranges.
    pub(super) fn gaps(&self) -> Vec<Range<u64>> {
        let mut gaps = self.lost.clone();
        if self.kept_from() > 0 {
            gaps.push(self.bounds.head..self.kept_from());
        }
        gaps.sort_unstable_by_key(|gap| gap.start);
        gaps.dedup_by(|next, last| {
            let joined = next.start <= last.end;
            if joined {
                last.end = last.end.max(next.end);
            }
            joined
        });
        gaps
    }

    /// Notes that these bytes could not be written.
    pub(super) fn lose(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let full = self.lost.len() >= LOST_RANGES;
        match self.lost.last_mut() {
            Some(last) if full || last.end == range.start => last.end = range.end,
            _ => self.lost.push(range),
        }
    }

    /// Where `offset` lies in the file, and how many bytes lie there in one piece.
    pub(super) const fn place(&self, offset: u64) -> (u64, u64) {
        let Bounds { head, tail } = self.bounds;
        if offset < head {
            return (HEADER + offset, head - offset);
        }
        let ring = tail + WRITE as u64;
        let at = (offset - head) % ring;
        (HEADER + head + at, ring - at)
    }

    /// The header, [`HEADER`] bytes long.
    pub(super) fn header(&self) -> Vec<u8> {
        let Bounds { head, tail } = self.bounds;
        let mut text = format!("{MAGIC}\nhead {head}\ntail {tail}\nlen {}\n", self.len);
        for lost in &self.lost {
            let _ = writeln!(text, "lost {} {}", lost.start, lost.end);
        }
        // The longest header, with 20 digits in every number, is shorter than HEADER.
        let padded = format!("{text:<width$}\n", width = HEADER as usize - 1);
        padded.into_bytes()
    }

    /// Reads a header back; none when it is not one.
    pub(super) fn parse(header: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(header).ok()?;
        let mut lines = text.lines();
        if lines.next()? != MAGIC {
            return None;
        }
        let mut field = |name: &str| -> Option<u64> {
            lines.next()?.strip_prefix(name)?.strip_prefix(' ')?.parse().ok()
        };
        let bounds = Bounds { head: field("head")?, tail: field("tail")? };
        let len = field("len")?;
        let lost = lines.map_while(|line| {
            let (start, end) = line.strip_prefix("lost ")?.split_once(' ')?;
            Some(start.parse().ok()?..end.parse().ok()?)
        });
        Some(Self { len, lost: lost.collect(), ..Self::new(bounds) })
    }
}
