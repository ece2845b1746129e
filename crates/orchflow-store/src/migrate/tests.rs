//! Steps that fail half way, and schemas of more than one step.

use std::path::PathBuf;

use orchflow_types::{ErrorKind, Explain, Timestamp};
use rusqlite::Connection;

use super::*;

const ONE: Part = Part { name: "a", steps: &["CREATE TABLE one (x) STRICT_IS_NOT_HERE"] };
const FIRST: Part = Part { name: "a", steps: &["CREATE TABLE one (x)"] };
const SECOND: Part = Part {
    name: "a",
    steps: &["CREATE TABLE one (x)", "CREATE TABLE two (x); INSERT INTO one VALUES (2)"],
};
const BROKEN: Part = Part {
    name: "a",
    steps: &["CREATE TABLE one (x)", "CREATE TABLE two (x); INSERT INTO nowhere VALUES (2)"],
};

fn at() -> Timestamp {
    Timestamp::from_millis(1)
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

fn bring_to(path: &Path, part: Part) -> Result<Migrated, Error> {
    let mut conn = Connection::open(path).unwrap();
    migrate(&mut conn, path, (&[part], &[part]), at())
}

fn tables(path: &Path) -> Vec<String> {
    let conn = Connection::open(path).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut statement = conn.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

#[test]
fn an_older_schema_is_backed_up_and_then_brought_up_to_date() {
    let (_folder, path) = place();
    assert!(bring_to(&path, FIRST).unwrap().created);
    let migrated = bring_to(&path, SECOND).unwrap();
    assert_eq!((migrated.created, migrated.from), (false, Some(1)));
    assert_eq!(tables(&path), ["one", "schema_version", "two"]);
    let backup = migrated.backup.unwrap();
    assert!(backup.to_str().unwrap().ends_with("state.db.backup-1-1970-01-01T00-00-00.001Z"));
    assert_eq!(tables(&backup), ["one", "schema_version"]);
    assert_eq!(bring_to(&path, SECOND).unwrap(), Migrated::default());
}

#[test]
fn a_step_that_fails_half_way_leaves_the_old_schema_and_says_which_step() {
    let (_folder, path) = place();
    bring_to(&path, FIRST).unwrap();
    let error = bring_to(&path, BROKEN).unwrap_err();
    assert!(error.to_string().ends_with("to version 2"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert_eq!(tables(&path), ["one", "schema_version"]);
    assert_eq!(bring_to(&path, SECOND).unwrap().from, Some(1));
}

#[test]
fn a_first_step_that_fails_leaves_an_empty_file() {
    let (_folder, path) = place();
    bring_to(&path, ONE).unwrap_err();
    assert!(tables(&path).is_empty());
    assert!(bring_to(&path, FIRST).unwrap().created);
}

#[test]
fn a_backup_that_cannot_be_made_stops_the_migration() {
    let (folder, path) = place();
    bring_to(&path, FIRST).unwrap();
    std::fs::create_dir(folder.path().join("state.db.backup-1-1970-01-01T00-00-00.001Z")).unwrap();
    let error = bring_to(&path, SECOND).unwrap_err();
    assert!(matches!(error, Error::Backup { .. }), "{error}");
    assert_eq!(tables(&path), ["one", "schema_version"]);
}
