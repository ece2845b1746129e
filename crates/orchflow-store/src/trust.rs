//! Which folder's own configuration the user trusts, and with what content.

use orchflow_types::Timestamp;
use rusqlite::params;

use crate::column::At;
use crate::{Error, Reader, Tx};

/// Trust in one content of a folder's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The hash of all of it; another content is not trusted.
    pub content_hash: String,
    /// When the user said so.
    pub granted_at: Timestamp,
}

/// Trusts the configuration of `dir` (absolute) with this content and no other.
///
/// # Errors
/// When the database cannot be written.
pub fn grant(tx: &mut Tx<'_>, dir: &str, trust: &Trust) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO trust (dir, content_hash, granted_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (dir) DO UPDATE SET content_hash = excluded.content_hash, \
         granted_at = excluded.granted_at",
        params![dir, trust.content_hash, At(trust.granted_at)],
    )?;
    Ok(())
}

/// The trust in `dir`; whether it is in the content as it is now, the caller compares.
///
/// # Errors
/// When the database cannot be read.
pub fn get(reader: &Reader<'_>, dir: &str) -> Result<Option<Trust>, Error> {
    reader.one("SELECT content_hash, granted_at FROM trust WHERE dir = ?1", [dir], |row| {
        Ok(Trust { content_hash: row.get(0)?, granted_at: row.get::<_, At>(1)?.0 })
    })
}

/// Takes the trust in `dir` back; whether there was any.
///
/// # Errors
/// When the database cannot be written.
pub fn revoke(tx: &mut Tx<'_>, dir: &str) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM trust WHERE dir = ?1", [dir])? > 0)
}
