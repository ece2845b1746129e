//! The journal of each run: every command its machine was given, in order.

use orchflow_types::{RunId, Timestamp};
use rusqlite::params;

use crate::column::{At, key};
use crate::{Error, Reader, Tx};

/// One command of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the run's journal, from 0.
    pub seq: u64,
    /// When it was given.
    pub at: Timestamp,
    /// The command as JSON; the store does not read it.
    pub command: String,
}

/// Appends commands to a run's journal, the first of them as its `seq`-th, from 0.
///
/// Whoever sends commands ahead counts them: when one was not taken, or another process
/// wrote to the run, those that were built on it are refused too.
///
/// # Errors
/// [`Error::JournalPlace`] when `seq` is not the next place.
pub fn append<'c>(
    tx: &mut Tx<'_>,
    run_id: RunId,
    seq: u64,
    commands: impl IntoIterator<Item = (Timestamp, &'c str)>,
) -> Result<(), Error> {
    let last = tx.one("SELECT max(seq) FROM journal WHERE run_id = ?1", [key(run_id)], |row| {
        row.get::<_, Option<u64>>(0)
    })?;
    let next = last.flatten().map_or(0, |last| last + 1);
    if seq != next {
        return Err(Error::JournalPlace { run: run_id, seq, next });
    }
    for (seq, (at, command)) in (seq..).zip(commands) {
        tx.execute(
            "INSERT INTO journal (run_id, seq, at, command) VALUES (?1, ?2, ?3, ?4)",
            params![key(run_id), seq, At(at), command],
        )?;
    }
    Ok(())
}

/// Every command of a run, in order.
///
/// # Errors
/// When the database cannot be read.
pub fn replay(reader: &Reader<'_>, run_id: RunId) -> Result<Vec<Entry>, Error> {
    reader.all(
        "SELECT seq, at, command FROM journal WHERE run_id = ?1 ORDER BY seq",
        [key(run_id)],
        |row| Ok(Entry { seq: row.get(0)?, at: row.get::<_, At>(1)?.0, command: row.get(2)? }),
    )
}
