//! Panes: what is known of each, and where its output lies.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use orchflow_types::pane::{PaneInfo, PaneState};
use orchflow_types::{PaneId, Timestamp};
use rusqlite::{Row, params};

use crate::column::{Json, Key, Word, key};
use crate::{Error, Reader, Tx};

/// A pane as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pane {
    /// What clients see.
    pub info: PaneInfo,
    /// The file its output is recorded in.
    pub log: PathBuf,
}

/// Writes a new pane. `idempotency_key` is the client's, if it gave one.
///
/// # Errors
/// A conflict when the pane or the key is there already.
pub fn insert(
    tx: &mut Tx<'_>,
    info: &PaneInfo,
    log: &Path,
    idempotency_key: Option<&str>,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO panes (pane_id, state, view, log, idempotency_key) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            key(info.pane_id),
            Word(info.state),
            Json(info),
            log.as_os_str().as_bytes(),
            idempotency_key
        ],
    )?;
    Ok(())
}

/// Writes a pane as it now is: when it ended, or its size or title changed.
///
/// # Errors
/// [`Error::PaneNotFound`].
pub fn update(tx: &mut Tx<'_>, info: &PaneInfo) -> Result<(), Error> {
    let changed = tx.execute(
        "UPDATE panes SET state = ?2, view = ?3 WHERE pane_id = ?1",
        params![key(info.pane_id), Word(info.state), Json(info)],
    )?;
    if changed == 0 { Err(Error::PaneNotFound(info.pane_id)) } else { Ok(()) }
}

/// A pane.
///
/// # Errors
/// When the database cannot be read.
pub fn get(reader: &Reader<'_>, pane_id: PaneId) -> Result<Option<Pane>, Error> {
    reader.one("SELECT view, log FROM panes WHERE pane_id = ?1", [key(pane_id)], pane)
}

/// A pane with the idempotency key it was made under, if it had one.
///
/// # Errors
/// When the database cannot be read.
pub fn get_with_key(
    reader: &Reader<'_>,
    pane_id: PaneId,
) -> Result<Option<(Pane, Option<String>)>, Error> {
    reader.one(
        "SELECT view, log, idempotency_key FROM panes WHERE pane_id = ?1",
        [key(pane_id)],
        |row| Ok((pane(row)?, row.get(2)?)),
    )
}

/// The pane that was made under a client's idempotency key.
///
/// # Errors
/// When the database cannot be read.
pub fn by_key(reader: &Reader<'_>, idempotency_key: &str) -> Result<Option<PaneId>, Error> {
    reader.one("SELECT pane_id FROM panes WHERE idempotency_key = ?1", [idempotency_key], |row| {
        Ok(row.get::<_, Key<PaneId>>(0)?.0)
    })
}

/// At most `limit` panes, newest first, older than `before`.
///
/// # Errors
/// When the database cannot be read.
pub fn list(
    reader: &Reader<'_>,
    state: Option<PaneState>,
    before: Option<PaneId>,
    limit: u32,
) -> Result<Vec<Pane>, Error> {
    let before = before.map_or([0xff; 16], key);
    match state {
        None => reader.all(
            "SELECT view, log FROM panes WHERE pane_id < ?1 ORDER BY pane_id DESC LIMIT ?2",
            params![before, limit],
            pane,
        ),
        Some(state) => reader.all(
            "SELECT view, log FROM panes WHERE state = ?3 AND pane_id < ?1 \
             ORDER BY pane_id DESC LIMIT ?2",
            params![before, limit, Word(state)],
            pane,
        ),
    }
}

/// Marks every pane that is said to run as lost, but those in `keep`, and answers them: for a
/// start, when nothing but what is kept can be running any more.
///
/// # Errors
/// When the database cannot be written.
pub fn lose_running(tx: &mut Tx<'_>, at: Timestamp, keep: &[PaneId]) -> Result<Vec<Pane>, Error> {
    let mut panes = list(tx, Some(PaneState::Running), None, u32::MAX)?;
    panes.retain(|pane| !keep.contains(&pane.info.pane_id));
    for pane in &mut panes {
        pane.info.state = PaneState::Lost;
        pane.info.pid = None;
        pane.info.exited_at = Some(at);
        update(tx, &pane.info)?;
    }
    Ok(panes)
}

fn pane(row: &Row<'_>) -> rusqlite::Result<Pane> {
    let log: Vec<u8> = row.get(1)?;
    Ok(Pane { info: row.get::<_, Json<_>>(0)?.0, log: PathBuf::from(OsStr::from_bytes(&log)) })
}
