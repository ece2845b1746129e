//! The one writer of a log.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use super::LogReader;
use super::layout::{Bounds, HEADER, Progress, WRITE};
use crate::Error;

/// Appends to a log. Dropping it says to readers that the log has ended.
#[derive(Debug)]
pub(crate) struct LogWriter {
    path: PathBuf,
    pub(super) file: File,
    progress: Progress,
    told: watch::Sender<Progress>,
}

impl LogWriter {
    /// Makes the log at `path`, or goes on with the one that is there.
    ///
    /// A full disk is no error: the log then says that it is failing, and the pane runs.
    pub(crate) fn create(path: &Path, bounds: Bounds) -> Result<Self, Error> {
        let failed = |source| Error::Log { attempted: "make", path: path.to_owned(), source };
        let mut open = OpenOptions::new();
        open.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = open.open(path).map_err(failed)?;
        let mut header = [0; HEADER as usize];
        let before =
            file.read_exact_at(&mut header, 0).ok().and_then(|()| Progress::parse(&header));
        let progress = before.unwrap_or_else(|| Progress::new(bounds));
        let told = watch::Sender::new(progress.clone());
        let mut writer = Self { path: path.to_owned(), file, progress, told };
        let wrote = writer.file.write_all_at(&writer.progress.header(), 0);
        writer.note(wrote);
        writer.told.send_replace(writer.progress.clone());
        Ok(writer)
    }

    /// What reads this log.
    pub(crate) fn reader(&self) -> LogReader {
        LogReader::live(self.path.clone(), self.told.subscribe())
    }

    /// Takes the file away again when nothing was ever written to it.
    pub(crate) fn remove_if_empty(&self) {
        if self.progress.len == 0
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "an empty log stays");
        }
    }

    /// Adds `bytes`; readers see them when this returns. What cannot be written is noted
    /// as lost, and the offsets go on.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(WRITE) {
            self.append_piece(piece);
            self.told.send_replace(self.progress.clone());
        }
    }

    fn append_piece(&mut self, piece: &[u8]) {
        let start = self.progress.len;
        let (written, mut outcome) = self.write_piece(piece);
        self.progress.len += piece.len() as u64;
        self.progress.lose(start + written as u64..self.progress.len);
        // The header comes last: until it is there, the bytes before it are not counted.
        let header = self.file.write_all_at(&self.progress.header(), 0);
        if outcome.is_ok() {
            outcome = header;
        }
        self.note(outcome);
    }

    fn write_piece(&self, piece: &[u8]) -> (usize, io::Result<()>) {
        let mut done = 0;
        while done < piece.len() {
            let (at, room) = self.progress.place(self.progress.len + done as u64);
            let room = usize::try_from(room).unwrap_or(usize::MAX).min(piece.len() - done);
            match self.file.write_at(&piece[done..done + room], at) {
                Ok(0) => return (done, Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (done, Err(error)),
            }
        }
        (done, Ok(()))
    }

    // Says a failure once, and says once that it is over.
    fn note(&mut self, outcome: io::Result<()>) {
        let path = self.path.display();
        match (outcome, &self.progress.failing) {
            (Err(error), None) => {
                tracing::error!(%path, %error, "output cannot be written to the log");
                self.progress.failing = Some(Arc::from(error.to_string()));
            }
            (Ok(()), Some(_)) => {
                tracing::info!(%path, "output is written to the log again");
                self.progress.failing = None;
            }
            _ => {}
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.told.send_modify(|progress| progress.ended = true);
    }
}
