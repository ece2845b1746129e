//! The store: submit writes to the one writer, read snapshots, hear the bell.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use orchflow_types::{Cursor, Timestamp};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

use crate::job::job;
use crate::readers::Readers;
use crate::writer::{Message, Tally};
use crate::{Error, Opened, Options, Reader, Receipt, Tx, open};

/// A database, open. Cheap to clone; clones are the same store.
///
/// The file is cleanly closed by [`Store::close`], or some time after the last clone is gone.
#[derive(Debug, Clone)]
pub struct Store(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    // Dropped before `jobs`: the connection that is closed last folds the log into the file,
    // and only the writer's can.
    pub(crate) readers: Readers,
    pub(crate) jobs: mpsc::Sender<Message>,
    pub(crate) bell: watch::Receiver<Cursor>,
    pub(crate) tally: Arc<Tally>,
}

/// What the writer has done since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Commits, each one fsync.
    pub commits: u64,
    /// Submitted writes that went through those commits, those that failed included.
    pub transactions: u64,
    /// Commits that failed as a whole.
    pub failed: u64,
}

impl Store {
    /// Opens the database at `path`, makes it when it is not there, and brings an older
    /// schema up to date after a backup. `at` is the moment in the backup's name.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::Newer`], [`Error::Backup`], [`Error::Migration`]: the file
    /// is then as it was.
    pub fn open(path: &Path, at: Timestamp) -> Result<(Self, Opened), Error> {
        Self::open_with(path, at, Options::default())
    }

    /// Opens with only some sets of tables, or another patience for locks.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(
        path: &Path,
        at: Timestamp,
        options: Options,
    ) -> Result<(Self, Opened), Error> {
        open::open(path, at, options)
    }

    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    /// The database, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.readers.path()
    }

    /// Queues `work` and waits for its commit. When `work` fails, what it wrote is taken
    /// back and nothing else; a panic in it is [`Error::Panicked`].
    ///
    /// # Errors
    /// What `work` failed with, or what the commit failed with.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.submit(work).await?.await
    }

    /// Queues `work` and waits only for room in the queue; the receipt tells the result.
    ///
    /// Writes happen in the order in which they were queued, whether or not anybody waits.
    ///
    /// # Errors
    /// [`Error::Closed`] when the store was closed.
    pub async fn submit<T, F>(&self, work: F) -> Result<Receipt<T>, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (job, receipt) = job(work);
        self.0.jobs.send(Message::Work(job)).await.map_err(|_| Error::Closed)?;
        Ok(receipt)
    }

    /// Queues `work` without waiting at all.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when the queue is full: the work was not queued.
    /// [`Error::Closed`] when the store was closed.
    pub fn try_submit<T, F>(&self, work: F) -> Result<Receipt<T>, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (job, receipt) = job(work);
        self.0.jobs.try_send(Message::Work(job)).map_err(|error| match error {
            TrySendError::Full(_) => Error::Overloaded,
            TrySendError::Closed(_) => Error::Closed,
        })?;
        Ok(receipt)
    }

    /// [`Store::submit`] for a thread outside of the async runtime.
    ///
    /// # Errors
    /// [`Error::Closed`] when the store was closed.
    ///
    /// # Panics
    /// On a thread of the async runtime.
    pub fn submit_blocking<T, F>(&self, work: F) -> Result<Receipt<T>, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (job, receipt) = job(work);
        self.0.jobs.blocking_send(Message::Work(job)).map_err(|_| Error::Closed)?;
        Ok(receipt)
    }

    /// [`Store::write`] for a thread outside of the async runtime.
    ///
    /// # Errors
    /// As [`Store::write`].
    ///
    /// # Panics
    /// On a thread of the async runtime.
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.submit_blocking(work)?.wait_blocking()
    }

    /// Runs `work` on a snapshot, on a thread for blocking work.
    ///
    /// # Errors
    /// What `work` failed with; [`Error::Panicked`] when it panicked.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, Error> + Send + 'static,
    {
        let store = self.clone();
        let read = tokio::task::spawn_blocking(move || store.read_blocking(work)).await;
        read.unwrap_or_else(|error| Err(Error::Panicked(error.to_string())))
    }

    /// Runs `work` on a snapshot, on this thread.
    ///
    /// # Errors
    /// What `work` failed with.
    pub fn read_blocking<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.0.readers.read(work)
    }

    /// The bell: its value is the newest cursor of the event log, changed after the commit.
    ///
    /// It only wakes. What happened is read from the log with [`crate::events::after`].
    #[must_use]
    pub fn bell(&self) -> watch::Receiver<Cursor> {
        self.0.bell.clone()
    }

    /// What the writer has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let tally = &self.0.tally;
        Stats {
            commits: tally.commits.load(Ordering::Relaxed),
            transactions: tally.transactions.load(Ordering::Relaxed),
            failed: tally.failed.load(Ordering::Relaxed),
        }
    }

    /// Lends no more readers, finishes what is queued, marks the file as cleanly closed and
    /// closes it. Clones of the store answer [`Error::Closed`] from then on; closing twice does nothing.
    ///
    /// # Errors
    /// What SQLite said when the mark could not be written.
    pub async fn close(&self) -> Result<(), Error> {
        self.0.readers.close();
        let (reply, closed) = oneshot::channel();
        if self.0.jobs.send(Message::Close(reply)).await.is_err() {
            return Ok(());
        }
        closed.await.unwrap_or(Ok(()))
    }

    /// [`Store::close`] for a thread outside of the async runtime.
    ///
    /// # Errors
    /// As [`Store::close`].
    ///
    /// # Panics
    /// On a thread of the async runtime.
    pub fn close_blocking(&self) -> Result<(), Error> {
        self.0.readers.close();
        let (reply, closed) = oneshot::channel();
        if self.0.jobs.blocking_send(Message::Close(reply)).is_err() {
            return Ok(());
        }
        closed.blocking_recv().unwrap_or(Ok(()))
    }
}
