//! Actions: every effect a run wants, committed before it is performed.
//!
//! A key is used once and for ever: what is finished stays known as finished, so that
//! nothing is done twice. The epoch fences: only who holds the run's newest finishes.

use orchflow_types::RunId;
use rusqlite::{Row, params};

use crate::column::{Key, key};
use crate::{Error, Reader, Tx};

/// An effect that was committed and is not known to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its idempotency key.
    pub key: String,
    /// The run that wants it.
    pub run_id: RunId,
    /// The epoch of the run's owner who is to perform it.
    pub epoch: u64,
    /// Its place among the run's actions: they are performed in this order.
    pub ordinal: u64,
    /// What to do, as JSON; the store does not read it.
    pub payload: String,
}

/// Writes a pending action; `false`, and nothing is written, when its key was used before.
///
/// # Errors
/// When the database cannot be written.
pub fn insert(tx: &mut Tx<'_>, action: &Action) -> Result<bool, Error> {
    let inserted = tx.execute(
        "INSERT INTO actions (key, run_id, epoch, ordinal, state, payload) \
         VALUES (?1, ?2, ?3, ?4, 'pending', ?5) ON CONFLICT (key) DO NOTHING",
        params![action.key, key(action.run_id), action.epoch, action.ordinal, action.payload],
    )?;
    Ok(inserted > 0)
}

/// Marks an action as done and lets its payload go; `false`, and nothing changes, unless it
/// was pending with exactly this epoch.
///
/// # Errors
/// When the database cannot be written.
pub fn finish(tx: &mut Tx<'_>, key: &str, epoch: u64) -> Result<bool, Error> {
    let finished = tx.execute(
        "UPDATE actions SET state = 'done', payload = '' \
         WHERE key = ?1 AND epoch = ?2 AND state = 'pending'",
        params![key, epoch],
    )?;
    Ok(finished > 0)
}

/// Gives every pending action of a run to the owner with `epoch`, and answers them.
///
/// # Errors
/// When the database cannot be written.
pub fn take_over(tx: &mut Tx<'_>, run_id: RunId, epoch: u64) -> Result<Vec<Action>, Error> {
    tx.execute(
        "UPDATE actions SET epoch = ?2 WHERE run_id = ?1 AND state = 'pending'",
        params![key(run_id), epoch],
    )?;
    pending(tx, run_id)
}

/// What a run still wants, in the order in which it was wanted.
///
/// # Errors
/// When the database cannot be read.
pub fn pending(reader: &Reader<'_>, run_id: RunId) -> Result<Vec<Action>, Error> {
    reader.all(
        "SELECT key, run_id, epoch, ordinal, payload FROM actions \
         WHERE run_id = ?1 AND state = 'pending' ORDER BY ordinal",
        [key(run_id)],
        action,
    )
}

fn action(row: &Row<'_>) -> rusqlite::Result<Action> {
    Ok(Action {
        key: row.get(0)?,
        run_id: row.get::<_, Key<RunId>>(1)?.0,
        epoch: row.get(2)?,
        ordinal: row.get(3)?,
        payload: row.get(4)?,
    })
}
