//! Looking for damage, beside the work and never on the way to a first answer.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::watch;

use crate::Error;
use crate::store::{Shared, Store};

/// What a check found.
#[derive(Debug, Clone)]
pub enum Health {
    /// It has not ended yet.
    Checking,
    /// Nothing is wrong.
    Sound,
    /// What SQLite found wrong, at most a hundred lines. The file was left as it is.
    Damaged(Vec<String>),
    /// The check itself could not be made.
    Unknown(Error),
}

impl Store {
    /// Runs SQLite's quick check on a thread for blocking work; the answer comes through
    /// the channel. Must be called within the async runtime.
    #[must_use]
    pub fn check_in_background(&self) -> watch::Receiver<Health> {
        let (sender, receiver) = watch::channel(Health::Checking);
        let shared = Arc::clone(self.shared());
        drop(tokio::task::spawn_blocking(move || {
            let health = check(&shared);
            match &health {
                Health::Damaged(found) => tracing::error!(?found, "the database is damaged"),
                Health::Unknown(error) => tracing::warn!(%error, "the database was not checked"),
                Health::Checking | Health::Sound => {}
            }
            sender.send_replace(health);
        }));
        receiver
    }
}

fn check(shared: &Shared) -> Health {
    let found = shared.readers.apart().and_then(|conn| Ok(quick_check(&conn)?));
    match found {
        Ok(found) if found == ["ok"] => Health::Sound,
        Ok(found) => Health::Damaged(found),
        Err(Error::Sql { trouble: crate::Trouble::Corrupt, source }) => {
            Health::Damaged(vec![source.to_string()])
        }
        Err(error) => Health::Unknown(error),
    }
}

fn quick_check(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare("PRAGMA quick_check(100)")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}
