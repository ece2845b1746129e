//! What typed functions work on: a snapshot to read, or a transaction to write.

use std::ops::Deref;

use orchflow_types::Cursor;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};

use crate::Error;

/// A consistent snapshot: nothing that commits while it lives changes what it reads.
#[derive(Debug)]
pub struct Reader<'c> {
    conn: &'c Connection,
}

/// A transaction of its own within a batch: kept when its work succeeds and the batch
/// commits, taken back when its work fails. It reads what it wrote.
#[derive(Debug)]
pub struct Tx<'c> {
    reader: Reader<'c>,
    newest: Option<Cursor>,
}

impl<'c> Reader<'c> {
    pub(crate) const fn new(conn: &'c Connection) -> Self {
        Self { conn }
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'c>, Error> {
        Ok(self.conn.prepare_cached(sql)?)
    }

    /// The row there should be at most one of.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        Ok(self.prepare(sql)?.query_row(params, read).optional()?)
    }

    /// Every row.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl<'c> Tx<'c> {
    pub(crate) const fn new(conn: &'c Connection) -> Self {
        Self { reader: Reader::new(conn), newest: None }
    }

    /// Executes one statement and tells how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &str, params: impl Params) -> Result<usize, Error> {
        Ok(self.reader.prepare(sql)?.execute(params)?)
    }

    /// The rowid of the row inserted last.
    pub(crate) fn inserted(&self) -> i64 {
        self.reader.conn.last_insert_rowid()
    }

    /// Keeps the newest event of this transaction, so that the bell rings after the commit.
    pub(crate) const fn appended(&mut self, cursor: Cursor) {
        self.newest = Some(cursor);
    }

    /// The newest event this transaction appended.
    pub(crate) const fn newest(&self) -> Option<Cursor> {
        self.newest
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Self::Target {
        &self.reader
    }
}
