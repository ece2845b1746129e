//! The one writer: a thread that commits what is queued as one transaction.
//!
//! Each job runs in a savepoint, so a failing one takes back only itself; all of a
//! batch share one fsync; answers go out, and the bell rings, after the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use orchflow_runtime::crash_point;
use orchflow_types::Cursor;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use crate::job::Job;
use crate::{Error, Tx, meta};

/// The most jobs that share a commit.
const BATCH: usize = 512;

/// What the writer is sent.
pub(crate) enum Message {
    /// A write.
    Work(Box<dyn Job>),
    /// Finish what is queued, mark the file as cleanly closed, and say so.
    Close(oneshot::Sender<Result<(), Error>>),
}

/// What the writer has done so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) commits: AtomicU64,
    pub(crate) transactions: AtomicU64,
    pub(crate) failed: AtomicU64,
}

/// The writer, before its thread runs.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) jobs: mpsc::Receiver<Message>,
    pub(crate) bell: watch::Sender<Cursor>,
    pub(crate) tally: Arc<Tally>,
    /// Whether the file still bears the mark of a clean stop. The first commit takes the
    /// mark away, so that opening costs no fsync.
    pub(crate) clean: bool,
    /// Whether anything was committed. Who only looked says nothing about the file.
    pub(crate) wrote: bool,
}

impl Writer {
    /// Works until the store is closed or its last clone is gone.
    pub(crate) fn run(mut self) {
        let mut messages = Vec::with_capacity(BATCH);
        let mut closing = Vec::new();
        while self.jobs.blocking_recv_many(&mut messages, BATCH) > 0 {
            let mut batch = Vec::with_capacity(messages.len());
            for message in messages.drain(..) {
                match message {
                    Message::Work(job) => batch.push(job),
                    Message::Close(reply) => {
                        self.jobs.close(); // what is queued already is still done
                        closing.push(reply);
                    }
                }
            }
            self.write(batch);
        }
        let closed = self.close();
        for reply in closing {
            let _ = reply.send(closed.clone()); // who asked may be gone
        }
    }

    /// Runs a batch. It takes more than one transaction only when SQLite gave one up half
    /// way (no room, an IO error): those before lose their work, those after have a new try.
    fn write(&mut self, batch: Vec<Box<dyn Job>>) {
        let mut waiting = batch.into_iter();
        while waiting.len() > 0 {
            let mut ran = Vec::with_capacity(waiting.len());
            let outcome = self.transaction(&mut waiting, &mut ran);
            if let Err(error) = &outcome {
                self.roll_back();
                self.tally.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, jobs = ran.len(), "a commit failed");
                // When not even one could begin, none of the others could.
                let rest = if ran.is_empty() { waiting.len() } else { 0 };
                ran.extend(waiting.by_ref().take(rest));
                ran.iter_mut().for_each(|job| job.fail(error));
            }
            ran.into_iter().for_each(Job::answer);
        }
    }

    fn transaction(
        &mut self,
        waiting: &mut impl Iterator<Item = Box<dyn Job>>,
        ran: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), Error> {
        // IMMEDIATE: a lock held elsewhere is waited for here, never in the middle.
        self.execute("BEGIN IMMEDIATE")?;
        let mut newest = None;
        for mut job in waiting {
            let outcome = self.savepoint(&mut *job);
            ran.push(job);
            newest = outcome?.or(newest);
        }
        if self.clean {
            meta::delete(&mut Tx::new(&self.conn), meta::CLEAN)?;
        }
        crash_point!("store.before_commit");
        self.execute("COMMIT")?;
        crash_point!("store.after_commit");
        (self.clean, self.wrote) = (false, true);
        self.tally.commits.fetch_add(1, Ordering::Relaxed);
        self.tally.transactions.fetch_add(ran.len() as u64, Ordering::Relaxed);
        if let Some(cursor) = newest {
            self.bell.send_replace(cursor);
        }
        Ok(())
    }

    /// Runs one job. An error is one of the whole transaction, not of the job.
    fn savepoint(&self, job: &mut dyn Job) -> Result<Option<Cursor>, Error> {
        self.execute("SAVEPOINT job")?;
        let mut tx = Tx::new(&self.conn);
        let kept = job.run(&mut tx);
        let newest = tx.newest().filter(|_| kept);
        if !kept {
            if self.conn.is_autocommit() {
                // SQLite rolled the whole batch back for what this job ran into.
                return Err(job.error().cloned().unwrap_or(Error::Closed));
            }
            self.execute("ROLLBACK TO job")?;
        }
        self.execute("RELEASE job")?;
        Ok(newest)
    }

    fn roll_back(&self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    fn close(self) -> Result<(), Error> {
        if self.wrote {
            meta::set(&mut Tx::new(&self.conn), meta::CLEAN, "yes")?;
        }
        self.conn.close().map_err(|(_, error)| error.into())
    }

    fn execute(&self, sql: &str) -> Result<(), Error> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
