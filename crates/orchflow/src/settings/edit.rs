//! Writing one setting into a configuration file: comments and order stay, the new text is
//! checked before it replaces the old in one step.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table};

use super::error::{Error, Place};
use super::{file, keys};

/// Sets `key` to `value` in the file at `path`, which is made when it is not there.
///
/// # Errors
/// When there is no such setting, it cannot hold the value, or the file is broken; then
/// the file is as it was.
pub fn set(path: &Path, key: &str, value: &Value) -> Result<(), Error> {
    let place = Place::default();
    let row = keys::find(key).ok_or_else(|| Error::Unknown {
        place: place.clone(),
        key: key.to_owned(),
        nearest: keys::nearest(key),
    })?;
    let value = file::checked(row.shape, key, value.clone(), &place)?;
    let old = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(Error::File { attempt: "read", path: path.to_owned(), source }),
    };
    file::parse(path, &old)?;
    let new = changed(path, &old, key, &value)?;
    file::parse(path, &new)?;
    replace(path, &new).map_err(|source| Error::File {
        attempt: "write",
        path: path.to_owned(),
        source,
    })
}

fn changed(path: &Path, old: &str, key: &str, value: &Value) -> Result<String, Error> {
    let syntax = |error: toml_edit::TomlError| Error::Syntax {
        place: Place(path.display().to_string()),
        message: error.message().to_owned(),
    };
    let mut document: DocumentMut = old.parse().map_err(syntax)?;
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let mut table: &mut dyn toml_edit::TableLike = document.as_table_mut();
    for (depth, part) in parts.iter().enumerate() {
        let item = table.entry(part).or_insert_with(|| {
            let mut fresh = Table::new();
            fresh.set_implicit(depth + 1 < parts.len());
            Item::Table(fresh)
        });
        let found = item.as_table_like_mut();
        table = found.expect("the file was checked: what stands above a setting is a table");
    }
    let mut fresh = toml(value);
    if let Some(before) = table.get(last).and_then(Item::as_value) {
        // What stands around a value is its comment and its blanks.
        *fresh.decor_mut() = before.decor().clone();
    }
    table.insert(last, Item::Value(fresh));
    Ok(document.to_string())
}

fn toml(value: &Value) -> toml_edit::Value {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| number.as_f64().unwrap_or_default().into(), toml_edit::Value::from),
        Value::Array(list) => list.iter().map(toml).collect::<Array>().into(),
        Value::Object(table) => {
            let pairs = table.iter().map(|(name, value)| (name.as_str(), toml(value)));
            pairs.collect::<InlineTable>().into()
        }
        Value::String(text) => text.as_str().into(),
        Value::Null => "".into(),
    }
}

/// Replaces a file in one step: a reader, or a crash, sees the old text or the new.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let mode = path.metadata().map_or(0o600, |meta| meta.permissions().mode() & 0o777);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let written = (|| {
        let mut file = std::fs::File::create(&fresh)?;
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&fresh);
    }
    written
}
