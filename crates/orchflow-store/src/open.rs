//! Opening the file: look before touching, refuse what is not ours, migrate, start the writer.
//!
//! The usual way (the file is there and up to date) reads a few pages and writes nothing.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use orchflow_types::{Cursor, Timestamp};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, watch};

use crate::migrate::{self, Migrated, opening};
use crate::readers::Readers;
use crate::schema::{KNOWN, Parts};
use crate::store::{Shared, Store};
use crate::writer::{Tally, Writer};
use crate::{Error, Reader, Trouble, backup, events, meta};

/// The first SQLite without the WAL-reset bug.
const OLDEST_SQLITE: i32 = 3_051_003;
/// The most writes that wait; who comes after waits for room.
const QUEUE: usize = 1024;
/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How often a new file is tried to be switched while others do the same.
const SWITCHES: u32 = 50;
/// Prepared statements kept by each connection.
const STATEMENTS: usize = 128;

/// How to open a store.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Which sets of tables the file has.
    pub parts: Parts,
    /// How long a lock held by another process is waited for.
    pub busy: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { parts: Parts::Both, busy: Duration::from_secs(5) }
    }
}

/// What was found and done when the file was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// There was no database; now there is one.
    pub created: bool,
    /// The schema was older, of this version at its oldest, and was brought up to date.
    pub migrated_from: Option<u32>,
    /// The copy that was made before the schema was changed.
    pub backup: Option<PathBuf>,
    /// Whoever had it open last did not close it: [`Store::check_in_background`] is due.
    pub unclean: bool,
}

pub(crate) fn open(path: &Path, at: Timestamp, options: Options) -> Result<(Store, Opened), Error> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Error::OldSqlite(rusqlite::version()));
    }
    look(path)?;
    let (conn, migrated) = prepare(path, at, options)?;
    let reader = Reader::new(&conn);
    let clean = meta::get(&reader, meta::CLEAN)?.is_some();
    let newest = events::last(&reader)?;
    let opened = Opened {
        created: migrated.created,
        migrated_from: migrated.from,
        backup: migrated.backup,
        unclean: !clean && !migrated.created,
    };
    let found = Found { clean, created: migrated.created, newest };
    Ok((start(path, conn, options, found)?, opened))
}

/// What the writer is told of the file.
struct Found {
    clean: bool,
    created: bool,
    newest: Cursor,
}

/// Refuses what is no database of SQLite, and makes an empty file where there is none.
fn look(path: &Path) -> Result<(), Error> {
    let refuse = |trouble, backup, source: Option<io::Error>| Error::Open {
        path: path.to_owned(),
        trouble,
        backup,
        source: source.map(|error| Arc::new(error) as _),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(refuse(Trouble::NoFolder, None, None));
    }
    let mut magic = Vec::new();
    match File::options().read(true).write(true).open(path) {
        Ok(file) => {
            let read = file.take(MAGIC.len() as u64).read_to_end(&mut magic);
            read.map_err(|error| refuse(Trouble::Other, None, Some(error)))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path).map_err(|error| refuse(trouble(&error), None, Some(error)))?;
        }
        Err(error) => return Err(refuse(trouble(&error), None, Some(error))),
    }
    let backup = backup::newest(path);
    // An empty file is one whose creation was interrupted, unless there once was more.
    let sound = if magic.is_empty() { backup.is_none() } else { magic == MAGIC };
    if sound { Ok(()) } else { Err(refuse(Trouble::Corrupt, backup, None)) }
}

/// Makes an empty file, unless somebody else has just made it.
fn make(path: &Path) -> io::Result<()> {
    match backup::private(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

fn trouble(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Trouble::ReadOnly,
        io::ErrorKind::IsADirectory => Trouble::NotAFile,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Trouble::Full,
        _ => Trouble::Other,
    }
}

fn prepare(path: &Path, at: Timestamp, options: Options) -> Result<(Connection, Migrated), Error> {
    let refuse = |error| opening(path, error);
    let mut conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, options.busy)?;
    // Until the file is accepted, closing it must not fold the log into it: what is
    // refused stays as it is, byte for byte.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(refuse)?;
    let found = migrate::inspect(&conn, path, KNOWN)?;
    log_ahead(&conn).map_err(refuse)?;
    conn.pragma_update(None, "synchronous", "FULL").map_err(refuse)?;
    conn.pragma_update(None, "temp_store", "MEMORY").map_err(refuse)?;
    conn.pragma_update(None, "journal_size_limit", 64 << 20).map_err(refuse)?;
    let wanted = options.parts.wanted();
    let migrated = if found.behind(wanted) {
        migrate::migrate(&mut conn, path, (KNOWN, wanted), at)?
    } else {
        Migrated::default()
    };
    // Only now: a migration may rebuild a table others refer to.
    conn.pragma_update(None, "foreign_keys", true).map_err(refuse)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(refuse)?;
    Ok((conn, migrated))
}

/// Switches a new file to write-ahead logging; one that has it stays as it is.
///
/// SQLite does not wait for others to switch, it gives up at once. A write lock it does wait
/// for; whoever had it has switched by then, or is about to.
fn log_ahead(conn: &Connection) -> rusqlite::Result<()> {
    let switch = || conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
    for _ in 0..SWITCHES {
        match switch() {
            Err(error) if Trouble::of(&error) == Trouble::Locked => {
                conn.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
            }
            done => return done,
        }
    }
    switch()
}

/// A connection with the settings every connection of ours has.
pub(crate) fn connect(path: &Path, access: OpenFlags, busy: Duration) -> Result<Connection, Error> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| opening(path, error))?;
    conn.busy_timeout(busy)?;
    // Plans do not depend on bound values. Otherwise a statement with a LIMIT or a max() is
    // compiled anew each time it is bound.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

fn start(path: &Path, conn: Connection, options: Options, found: Found) -> Result<Store, Error> {
    let (sender, jobs) = mpsc::channel(QUEUE);
    let (bell, rung) = watch::channel(found.newest);
    let tally = Arc::new(Tally::default());
    let (clean, wrote) = (found.clean, found.created);
    let writer = Writer { conn, jobs, bell, tally: tally.clone(), clean, wrote };
    let thread = thread::Builder::new().name("store-writer".to_owned());
    thread.spawn(move || writer.run()).map_err(|error| Error::Open {
        path: path.to_owned(),
        trouble: Trouble::Other,
        backup: None,
        source: Some(Arc::new(error)),
    })?;
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let readers = Readers::new(path, options.busy);
    Ok(Store::new(Shared { jobs: sender, readers, bell: rung, tally }))
}

#[cfg(test)]
mod tests;
