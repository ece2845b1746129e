//! Single values the store keeps under a name.

use crate::{Error, Reader, Tx};

/// There while nobody has written since the file was last cleanly closed.
pub(crate) const CLEAN: &str = "clean_shutdown";

/// The value of `key`.
///
/// # Errors
/// When the database cannot be read.
pub fn get(reader: &Reader<'_>, key: &str) -> Result<Option<String>, Error> {
    reader.one("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
}

/// Gives `key` a value.
///
/// # Errors
/// When the database cannot be written.
pub fn set(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [key, value],
    )?;
    Ok(())
}

/// Takes `key` away; whether it was there.
///
/// # Errors
/// When the database cannot be written.
pub fn delete(tx: &mut Tx<'_>, key: &str) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM meta WHERE key = ?1", [key])? > 0)
}
