//! The pool of read-only connections: made when needed, at most a handful, kept for the next.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle, OpenFlags};

use crate::{Error, Reader, open};

/// The most readers at a time; who comes after waits for one to be given back.
const MOST: usize = 8;

pub(crate) struct Readers {
    path: PathBuf,
    busy: Duration,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    /// Ways to end what runs on connections outside of the pool.
    apart: Vec<InterruptHandle>,
    lent: usize,
    closed: bool,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, busy: Duration) -> Self {
        Self { path, busy, pool: Mutex::default(), returned: Condvar::new() }
    }

    /// The database, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on one snapshot.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let lent = self.lend()?;
        let conn = lent.conn();
        // Statements of one closure see one state, whatever is committed meanwhile.
        conn.prepare_cached("BEGIN DEFERRED")?.execute([])?;
        let snapshot = Snapshot(conn);
        let result = work(&Reader::new(snapshot.0));
        drop(snapshot);
        result
    }

    /// A connection outside of the pool, for what takes long; closing interrupts it.
    pub(crate) fn apart(&self) -> Result<Connection, Error> {
        let conn = self.connect()?;
        let mut pool = self.lock();
        if pool.closed {
            return Err(Error::Closed);
        }
        pool.apart.push(conn.get_interrupt_handle());
        Ok(conn)
    }

    /// Closes what is idle, interrupts what takes long, and lends no more.
    pub(crate) fn close(&self) {
        let mut pool = self.lock();
        pool.closed = true;
        pool.idle.clear();
        pool.apart.drain(..).for_each(|long| long.interrupt());
        self.returned.notify_all();
    }

    fn connect(&self) -> Result<Connection, Error> {
        open::connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY, self.busy)
    }

    fn lend(&self) -> Result<Lent<'_>, Error> {
        let mut pool = self.lock();
        loop {
            if pool.closed {
                return Err(Error::Closed);
            }
            if let Some(conn) = pool.idle.pop() {
                pool.lent += 1;
                return Ok(Lent { readers: self, conn: Some(conn) });
            }
            if pool.lent < MOST {
                pool.lent += 1;
                break;
            }
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        drop(pool);
        // From here on the place is given back whatever happens.
        let mut lent = Lent { readers: self, conn: None };
        lent.conn = Some(self.connect()?);
        Ok(lent)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A read transaction; it ends when this is dropped, also by a panic.
struct Snapshot<'c>(&'c Connection);

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        let ended = self.0.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
        if let Err(error) = ended {
            tracing::warn!(%error, "a snapshot could not be ended");
        }
    }
}

/// A connection on loan.
struct Lent<'p> {
    readers: &'p Readers,
    conn: Option<Connection>,
}

impl Lent<'_> {
    const fn conn(&self) -> &Connection {
        self.conn.as_ref().expect("a loan is handed out with its connection")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.lock();
        pool.lent -= 1;
        // A connection whose snapshot did not end would never see anything new.
        let sound = self.conn.take().filter(Connection::is_autocommit);
        if !pool.closed {
            pool.idle.extend(sound);
        }
        self.readers.returned.notify_one();
    }
}

#[cfg(test)]
mod tests;
