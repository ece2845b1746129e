//! What `stream.open` reads: one output of a pane from an offset on, to its end.

use orchflow_protocol::pane::Output;
use orchflow_terminal::{LogReader, Stream};
use orchflow_types::PaneId;

use crate::manager::blocking;
use crate::panes::{Live, Source, stream};
use crate::{Error, Manager};

/// The most bytes of one piece of [`OutputReader::next`].
const PIECE: usize = 64 * 1024;

/// Opens one output of a pane, of one that has ended as well.
///
/// # Errors
/// [`Error::NoPane`], or its log cannot be read.
pub async fn open_output(
    cx: Manager,
    pane_id: PaneId,
    output: Output,
    from: u64,
) -> Result<OutputReader, Error> {
    // First the handle: a pane that ends in between is then still read to its very end.
    let live = cx.panes().get(pane_id);
    let log = Source::of(&cx, pane_id, output).await?.log;
    Ok(OutputReader { log, live, stream: stream(output), at: from, over: false })
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Piece {
    /// The offset of its first byte.
    pub offset: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Bytes that were let go between the offset asked for and `offset`.
    pub skipped: u64,
    /// Whether the pane has ended and this reaches its end.
    pub end: bool,
}

/// Reads one output of a pane. A pane ends for its readers when its end is written down, even
/// if what it left running goes on printing.
#[derive(Debug)]
pub struct OutputReader {
    log: Option<LogReader>,
    live: Option<Live>,
    stream: Stream,
    at: u64,
    over: bool,
}

impl OutputReader {
    /// Waits for the next piece, of 64 KiB at most; none after the one with `end`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn next(&mut self) -> Result<Option<Piece>, Error> {
        if self.over {
            return Ok(None);
        }
        let more = self.wait_beyond(self.at).await;
        let piece = if more {
            Piece { end: false, ..self.read(self.at, PIECE).await? }
        } else {
            Piece { offset: self.at, end: true, ..Piece::default() }
        };
        self.at = piece.offset + piece.bytes.len() as u64;
        self.over = piece.end;
        Ok(Some(piece))
    }

    /// At most `max` bytes from offset `from`, or from the first byte after it that is still
    /// kept; empty at the end of what there is so far, and after the end of the pane.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn read(&self, from: u64, max: usize) -> Result<Piece, Error> {
        let Some(log) = self.log.clone() else {
            return Ok(Piece { offset: from, end: self.end().is_some(), ..Piece::default() });
        };
        let end = self.end();
        // What is printed after the end is left out: a stream of it might never end.
        let left = end.map_or(u64::MAX, |end| end.saturating_sub(from));
        let max = usize::try_from(left).map_or(max, |left| left.min(max));
        let chunk = blocking("read a log", move || log.read(from, max)).await??;
        let next = chunk.offset + chunk.bytes.len() as u64;
        let skipped = chunk.gap_before.map_or(0, |gap| gap.end - gap.start);
        let end = end.is_some_and(|end| next >= end);
        Ok(Piece { offset: chunk.offset, bytes: chunk.bytes, skipped, end })
    }

    /// Waits until there are bytes at `offset` or after it; false when the pane has ended
    /// without them.
    pub async fn wait_beyond(&self, offset: u64) -> bool {
        if let Some(live) = &self.live {
            let printed = async {
                match &self.log {
                    // A log that ends is not yet a pane whose end is known.
                    Some(log) if log.wait_beyond(offset).await => {}
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                () = printed => {}
                () = live.written() => {}
            }
        }
        match self.end() {
            Some(end) => offset < end,
            None => self.log.as_ref().is_some_and(|log| log.len() > offset),
        }
    }

    /// Where the output ended, once the pane has.
    fn end(&self) -> Option<u64> {
        match &self.live {
            Some(live) => live.end.borrow().map(|end| end.at(self.stream)),
            None => Some(self.log.as_ref().map_or(0, LogReader::len)),
        }
    }
}
