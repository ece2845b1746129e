//! Bringing a file's schema up to date: numbered steps, all or none.
//!
//! Every pending step runs in one transaction, so a process killed at any instant leaves
//! the old schema. Which version each set of tables has stands in `schema_version`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use orchflow_runtime::crash_point;
use orchflow_types::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use crate::schema::Part;
use crate::{Error, Trouble, backup};

/// `orch` in ASCII: the mark in the header by which a file says whose it is.
const APPLICATION_ID: i32 = 0x6f72_6368;

/// What was done to the schema.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Migrated {
    /// There was no schema at all.
    pub(crate) created: bool,
    /// The lowest version a set of tables had that was brought further.
    pub(crate) from: Option<u32>,
    /// The backup that was made first.
    pub(crate) backup: Option<PathBuf>,
}

/// Refuses a file this build must not touch, and changes nothing.
pub(crate) fn inspect(conn: &Connection, path: &Path, known: &[Part]) -> Result<Found, Error> {
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| opening(path, error))?;
    if tables == 0 {
        return Ok(Found { fresh: true, versions: Vec::new() });
    }
    let id: i32 = conn
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(|error| opening(path, error))?;
    if id != APPLICATION_ID {
        let (path, trouble) = (path.to_owned(), Trouble::Foreign);
        return Err(Error::Open { path, trouble, backup: None, source: None });
    }
    let versions = versions(conn).map_err(|error| opening(path, error))?;
    for (part, found) in &versions {
        let known = known.iter().find(|p| p.name == part).map_or(0, Part::newest);
        if *found > known {
            let (path, part, found) = (path.to_owned(), part.clone(), *found);
            return Err(Error::Newer { path, part, found, known });
        }
    }
    Ok(Found { fresh: false, versions })
}

/// Which sets of tables a file has.
#[derive(Debug)]
pub(crate) struct Found {
    fresh: bool,
    versions: Vec<(String, u32)>,
}

impl Found {
    fn version(&self, part: &Part) -> u32 {
        self.versions.iter().find(|(name, _)| name == part.name).map_or(0, |(_, version)| *version)
    }

    /// Whether a step is pending for one of `wanted`.
    pub(crate) fn behind(&self, wanted: &[Part]) -> bool {
        wanted.iter().any(|part| self.version(part) < part.newest())
    }
}

/// Runs every pending step of `wanted`, after a backup when there was a schema before.
pub(crate) fn migrate(
    conn: &mut Connection,
    path: &Path,
    (known, wanted): (&[Part], &[Part]),
    at: Timestamp,
) -> Result<Migrated, Error> {
    // The lock comes first: what is read, backed up and migrated is the same state.
    let tx = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| opening(path, error))?;
    let found = inspect(&tx, path, known)?;
    let mut migrated = Migrated { created: found.fresh, from: None, backup: None };
    if found.fresh {
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.execute(
            "CREATE TABLE schema_version (part TEXT PRIMARY KEY, version INTEGER NOT NULL) \
             STRICT, WITHOUT ROWID",
            [],
        )?;
    } else {
        let behind = wanted.iter().filter(|part| found.version(part) < part.newest());
        migrated.from = behind.map(|part| found.version(part)).min();
    }
    if let Some(from) = migrated.from {
        migrated.backup = Some(backup::make(path, from, at)?);
    }
    for part in wanted {
        bring(&tx, path, part, found.version(part))?;
    }
    tx.commit().map_err(|error| opening(path, error))?;
    Ok(migrated)
}

/// Runs the steps of one set of tables from version `from` on.
fn bring(conn: &Connection, path: &Path, part: &Part, from: u32) -> Result<(), Error> {
    let steps = (1_u32..).zip(part.steps).filter(|(version, _)| *version > from);
    for (version, sql) in steps {
        step(conn, part, version, sql).map_err(|error| Error::Migration {
            path: path.to_owned(),
            part: part.name,
            version,
            source: Box::new(error.into()),
        })?;
        crash_point!("store.after_migration_step");
    }
    Ok(())
}

fn step(conn: &Connection, part: &Part, version: u32, sql: &str) -> rusqlite::Result<()> {
    conn.execute_batch(sql)?;
    conn.execute(
        "INSERT INTO schema_version (part, version) VALUES (?1, ?2) \
         ON CONFLICT (part) DO UPDATE SET version = excluded.version",
        (part.name, version),
    )?;
    Ok(())
}

fn versions(conn: &Connection) -> rusqlite::Result<Vec<(String, u32)>> {
    let mut statement = conn.prepare("SELECT part, version FROM schema_version")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

impl Part {
    /// The version after its last step.
    fn newest(&self) -> u32 {
        u32::try_from(self.steps.len()).expect("a set of tables has fewer steps than 2^32")
    }
}

/// What SQLite refused while the file was being opened.
pub(crate) fn opening(path: &Path, error: rusqlite::Error) -> Error {
    let trouble = Trouble::of(&error);
    let backup = if trouble == Trouble::Corrupt { backup::newest(path) } else { None };
    Error::Open { path: path.to_owned(), trouble, backup, source: Some(Arc::new(error)) }
}

#[cfg(test)]
mod tests;
