//! Commands a person has allowed an agent for always.

use orchflow_types::Timestamp;
use rusqlite::params;

use crate::column::{At, Json};
use crate::{Error, Reader, Tx};

/// One remembered `always`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The agent that may.
    pub agent: String,
    /// The folder it may in.
    pub folder: String,
    /// The words of the command; what a pattern word means is the policy's business.
    pub pattern: Vec<String>,
    /// When a person said so.
    pub granted_at: Timestamp,
}

/// Remembers a grant; the same again changes nothing.
///
/// # Errors
/// When the database cannot be written.
pub fn grant(tx: &mut Tx<'_>, grant: &Grant) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO policy_grants (agent, folder, pattern, granted_at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (agent, folder, pattern) DO NOTHING",
        params![grant.agent, grant.folder, Json(&grant.pattern), At(grant.granted_at)],
    )?;
    Ok(())
}

/// Every grant, by agent.
///
/// # Errors
/// When the database cannot be read.
pub fn list(reader: &Reader<'_>) -> Result<Vec<Grant>, Error> {
    reader.all(
        "SELECT agent, folder, pattern, granted_at FROM policy_grants \
         ORDER BY agent, granted_at, folder, pattern",
        [],
        |row| {
            Ok(Grant {
                agent: row.get(0)?,
                folder: row.get(1)?,
                pattern: row.get::<_, Json<_>>(2)?.0,
                granted_at: row.get::<_, At>(3)?.0,
            })
        },
    )
}

/// Forgets a grant; whether it was there.
///
/// # Errors
/// When the database cannot be written.
pub fn revoke(
    tx: &mut Tx<'_>,
    agent: &str,
    folder: &str,
    pattern: &[String],
) -> Result<bool, Error> {
    let gone = tx.execute(
        "DELETE FROM policy_grants WHERE agent = ?1 AND folder = ?2 AND pattern = ?3",
        params![agent, folder, Json(pattern)],
    )?;
    Ok(gone > 0)
}
