//! Readers of a log: any number, each from its own offset, none of them in the way.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::layout::{HEADER, Progress};
use super::{Bounds, Summary, lines};
use crate::Error;

/// A piece of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The offset of its first byte; the next read goes on at `offset + bytes.len()`.
    pub offset: u64,
    /// Its bytes; empty at the end of what there is.
    pub bytes: Vec<u8>,
    /// What lay between the offset that was asked for and the first byte, and is gone.
    pub gap_before: Option<Range<u64>>,
}

/// Reads a log, while it is written or afterwards. Cheap to clone; holds no descriptor.
#[derive(Debug, Clone)]
pub struct LogReader {
    path: PathBuf,
    progress: watch::Receiver<Progress>,
}

impl LogReader {
    pub(crate) const fn live(path: PathBuf, progress: watch::Receiver<Progress>) -> Self {
        Self { path, progress }
    }

    /// Opens the log of a pane that is gone, as after a restart of the daemon.
    ///
    /// # Errors
    /// [`Error::Log`] when it cannot be read, [`Error::NotALog`] when it is another file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let not_a_log = || Error::NotALog { path: path.to_owned() };
        let file = open(path)?;
        let mut header = [0; HEADER as usize];
        file.read_exact_at(&mut header, 0).map_err(|source| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => not_a_log(),
            _ => Error::Log { attempted: "read", path: path.to_owned(), source },
        })?;
        let progress = Progress::parse(&header).ok_or_else(not_a_log)?;
        let (_, progress) = watch::channel(Progress { ended: true, ..progress });
        Ok(Self { path: path.to_owned(), progress })
    }

    /// Where the log is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes printed so far; the offset where the stream goes on.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.progress.borrow().len
    }

    /// Whether nothing was printed yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the log says of itself now.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary::from(&*self.progress.borrow())
    }

    /// How much it keeps.
    pub(crate) fn bounds(&self) -> Bounds {
        self.progress.borrow().bounds
    }

    /// What could not be written.
    pub(crate) fn lost(&self) -> Vec<Range<u64>> {
        self.progress.borrow().lost.clone()
    }

    /// Waits until it says something else of itself than `before`; false when it never will.
    pub(crate) async fn changed_since(&self, before: &Summary) -> bool {
        let mut progress = self.progress.clone();
        progress.wait_for(|now| Summary::from(now) != *before).await.is_ok()
    }

    /// At most `max` bytes from offset `from`, or from the first byte after it that is
    /// still there. A chunk never reaches across a gap. Past the end it is empty.
    ///
    /// # Errors
    /// [`Error::Log`] when the file cannot be read.
    pub fn read(&self, from: u64, max: usize) -> Result<Chunk, Error> {
        let file = open(&self.path)?;
        loop {
            let before = self.progress.borrow().clone();
            let asked = from.min(before.len);
            let gap = gap_at(&before, asked);
            let offset = gap.as_ref().map_or(asked, |gap| gap.end);
            let end = next_gap(&before, offset).min(offset.saturating_add(max as u64));
            let mut bytes = self.read_range(&file, &before, offset..end)?;
            // What the writer ran over in the meantime has left the tail by now.
            let after = self.progress.borrow().clone();
            let Some(run_over) = gap_at(&after, offset) else {
                return Ok(Chunk { offset, bytes, gap_before: gap });
            };
            if run_over.end < end {
                let gone = usize::try_from(run_over.end - offset).unwrap_or(bytes.len());
                bytes.drain(..gone);
                let gap_before = Some(asked..run_over.end);
                return Ok(Chunk { offset: run_over.end, bytes, gap_before });
            }
            if max == 0 || offset >= before.len {
                return Ok(Chunk { offset, bytes: Vec::new(), gap_before: gap });
            }
        }
    }

    /// Waits until there are bytes at `offset` or after it; false when the log has ended
    /// without them.
    pub async fn wait_beyond(&self, offset: u64) -> bool {
        let mut progress = self.progress.clone();
        let _ = progress.wait_for(|now| now.len > offset || now.ended).await;
        progress.borrow().len > offset
    }

    /// The last `count` lines as plain text (see [`crate::ansi::plain`]), looking at most
    /// one megabyte back.
    ///
    /// # Errors
    /// [`Error::Log`] when the file cannot be read.
    pub fn tail_lines(&self, count: usize) -> Result<Vec<String>, Error> {
        lines::tail(self, count)
    }

    /// The last line with something to see on it, as plain text of at most 200
    /// characters; empty when there is none. It looks at most 64 KiB back.
    ///
    /// # Errors
    /// [`Error::Log`] when the file cannot be read.
    pub fn last_line(&self) -> Result<String, Error> {
        lines::last(self)
    }

    fn read_range(
        &self,
        file: &File,
        progress: &Progress,
        range: Range<u64>,
    ) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
        let mut bytes = vec![0; length];
        let mut done = 0;
        while done < length {
            let (at, room) = progress.place(range.start + done as u64);
            let room = usize::try_from(room).unwrap_or(usize::MAX).min(length - done);
            file.read_exact_at(&mut bytes[done..done + room], at).map_err(|source| Error::Log {
                attempted: "read",
                path: self.path.clone(),
                source,
            })?;
            done += room;
        }
        Ok(bytes)
    }
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|source| Error::Log {
        attempted: "open",
        path: path.to_owned(),
        source,
    })
}

// From `offset` to the end of the gap it lies in.
fn gap_at(progress: &Progress, offset: u64) -> Option<Range<u64>> {
    let gap = progress.gaps().into_iter().find(|gap| gap.contains(&offset))?;
    Some(offset..gap.end)
}

fn next_gap(progress: &Progress, offset: u64) -> u64 {
    let gaps = progress.gaps();
    gaps.iter().find(|gap| gap.start >= offset).map_or(progress.len, |gap| gap.start)
}
