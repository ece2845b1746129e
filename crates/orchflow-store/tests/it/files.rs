//! Files that are new, old, newer, damaged, foreign, locked or not there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use orchflow_store::{Error, Health, Options, Parts, Store, Trouble, meta, panes, tasks};
use orchflow_types::{ErrorKind, Explain};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::{Place, at, task};

/// Opens a file that must be refused, and asserts that it was left as it is.
fn refused(path: &Path) -> Error {
    let before = fs::read(path).unwrap();
    let error = Store::open(path, at(1)).unwrap_err();
    assert!(fs::read(path).unwrap() == before, "the file was changed");
    error
}

async fn filled(place: &Place, parts: Parts) {
    let options = Options { parts, ..Options::default() };
    let (store, _) = Store::open_with(&place.path(), at(1), options).unwrap();
    store.write(|tx| meta::set(tx, "kept", "1")).await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_new_file_is_made_for_its_owner_only_and_opens_again_as_it_is() {
    let place = Place::new();
    let (store, opened) = place.opened();
    assert!(opened.created && !opened.unclean);
    assert_eq!((opened.migrated_from, opened.backup), (None, None));
    assert_eq!(fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o600);
    store.write(|tx| tasks::insert(tx, &task("a"), None)).await.unwrap();
    store.close().await.unwrap();
    let (store, opened) = place.opened();
    assert!(!opened.created && !opened.unclean);
    assert_eq!(store.read(|r| tasks::roots(r, None, None, 9)).await.unwrap().len(), 1);
    // Who only reads leaves the mark of the clean stop.
    drop(store);
    assert!(!place.opened().1.unclean);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_both_versions_are_named() {
    let place = Place::new();
    filled(&place, Parts::Both).await;
    let conn = Connection::open(place.path()).unwrap();
    conn.execute("UPDATE schema_version SET version = 9 WHERE part = 'manager'", []).unwrap();
    conn.close().unwrap();
    let error = refused(&place.path());
    assert_eq!(error.kind(), ErrorKind::StorageNewer);
    let told = error.to_string();
    assert!(told.contains("version 9") && told.contains("up to 1"), "{told}");
}

#[tokio::test]
async fn a_newer_file_whose_log_was_not_folded_in_stays_as_it_is_too() {
    let place = Place::new();
    filled(&place, Parts::Both).await;
    let conn = Connection::open(place.path()).unwrap();
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    conn.execute("UPDATE schema_version SET version = 9", []).unwrap();
    conn.close().unwrap();
    let log = place.folder.path().join("state.db-wal");
    let before = fs::read(&log).unwrap();
    assert_eq!(refused(&place.path()).kind(), ErrorKind::StorageNewer);
    assert!(fs::read(&log).unwrap() == before);
}

#[test]
fn of_many_who_make_the_same_file_at_once_one_makes_it_and_all_can_use_it() {
    let place = Place::new();
    let opened: Vec<_> = std::thread::scope(|scope| {
        let open = |_| scope.spawn(|| place.opened());
        let threads: Vec<_> = (0..8).map(open).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(opened.iter().filter(|(_, opened)| opened.created).count(), 1);
    for (store, _) in &opened {
        store.write_blocking(|tx| tasks::insert(tx, &task("a"), None)).unwrap();
    }
    let roots = opened[0].0.read_blocking(|r| tasks::roots(r, None, None, 99)).unwrap();
    assert_eq!(roots.len(), 8);
}

#[tokio::test]
async fn a_set_of_tables_this_version_does_not_know_is_newer() {
    let place = Place::new();
    filled(&place, Parts::Both).await;
    let conn = Connection::open(place.path()).unwrap();
    conn.execute("INSERT INTO schema_version VALUES ('swarm', 1)", []).unwrap();
    conn.close().unwrap();
    assert_eq!(refused(&place.path()).kind(), ErrorKind::StorageNewer);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_the_hint_keeps_it() {
    let place = Place::new();
    fs::write(place.path(), "what is this, a text?").unwrap();
    let error = refused(&place.path());
    assert_eq!(error.kind(), ErrorKind::StorageCorrupt);
    assert!(error.hint().unwrap().contains("there is no backup"), "{error:?}");
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_the_hint_names_the_newest_backup() {
    let place = Place::new();
    filled(&place, Parts::Both).await;
    let older = place.folder.path().join("state.db.backup-2-2026-01-01T00-00-00Z");
    let newer = place.folder.path().join("state.db.backup-1-2026-02-01T00-00-00Z");
    fs::copy(place.path(), &older).unwrap();
    fs::copy(place.path(), &newer).unwrap();
    let mut bytes = fs::read(place.path()).unwrap();
    bytes[100..4096].fill(0xa5); // the first page after its header: the schema
    fs::write(place.path(), &bytes).unwrap();
    let error = refused(&place.path());
    assert_eq!(error.kind(), ErrorKind::StorageCorrupt);
    assert!(error.hint().unwrap().contains(newer.to_str().unwrap()), "{:?}", error.hint());
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let place = Place::new();
    filled(&place, Parts::Both).await;
    let bytes = fs::read(place.path()).unwrap();
    fs::write(place.path(), &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(refused(&place.path()).kind(), ErrorKind::StorageCorrupt);
}

#[test]
fn an_empty_file_is_a_new_database_unless_there_was_one_before() {
    let place = Place::new();
    fs::write(place.path(), "").unwrap();
    fs::write(place.folder.path().join("state.db.backup-1-2026-01-01T00-00-00Z"), "").unwrap();
    assert_eq!(refused(&place.path()).kind(), ErrorKind::StorageCorrupt);
    let place = Place::new();
    fs::write(place.path(), "").unwrap();
    assert!(place.opened().1.created);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let place = Place::new();
    let conn = Connection::open(place.path()).unwrap();
    conn.execute("CREATE TABLE cookies (a)", []).unwrap();
    conn.close().unwrap();
    let error = refused(&place.path());
    assert!(matches!(error, Error::Open { trouble: Trouble::Foreign, .. }), "{error}");
}

#[test]
fn a_missing_folder_a_folder_and_a_place_that_may_not_be_written_say_so() {
    let place = Place::new();
    let trouble = |path: &Path| match Store::open(path, at(1)).unwrap_err() {
        Error::Open { trouble, .. } => trouble,
        other => panic!("{other}"),
    };
    let missing = place.folder.path().join("no such folder/state.db");
    assert_eq!(trouble(&missing), Trouble::NoFolder);
    let hint = Store::open(&missing, at(1)).unwrap_err().hint().unwrap();
    assert!(hint.starts_with("mkdir -p '"), "{hint}");
    assert_eq!(trouble(place.folder.path()), Trouble::NotAFile);
    assert_eq!(trouble(Path::new("/sys/state.db")), Trouble::ReadOnly);
}

#[test]
fn a_lock_held_elsewhere_is_waited_for_and_then_told() {
    let place = Place::new();
    let options = Options { busy: Duration::from_millis(50), ..Options::default() };
    let (store, _) = Store::open_with(&place.path(), at(1), options).unwrap();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.write_blocking(|tx| meta::set(tx, "a", "1")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::StorageLocked);
    assert_eq!(store.stats().failed, 1);
    other.execute_batch("COMMIT").unwrap();
    store.write_blocking(|tx| meta::set(tx, "a", "1")).unwrap();
}

#[test]
fn a_file_held_exclusively_cannot_be_opened_and_is_told_as_locked() {
    let place = Place::new();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("CREATE TABLE a (b); BEGIN EXCLUSIVE; INSERT INTO a VALUES (1)").unwrap();
    let options = Options { busy: Duration::from_millis(50), ..Options::default() };
    let error = Store::open_with(&place.path(), at(1), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageLocked);
}

#[tokio::test]
async fn a_file_without_the_managers_tables_gets_them_after_a_backup() {
    let place = Place::new();
    filled(&place, Parts::Orchestrator).await;
    let (store, opened) = place.opened();
    assert_eq!(opened.migrated_from, Some(0));
    let backup = opened.backup.unwrap();
    assert_eq!(backup, place.folder.path().join("state.db.backup-0-1970-01-01T00-00-00.001Z"));
    assert!(store.read(|r| panes::list(r, None, None, 1)).await.unwrap().is_empty());
    assert_eq!(store.read(|r| meta::get(r, "kept")).await.unwrap().as_deref(), Some("1"));
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    let conn = Connection::open(&backup).unwrap();
    let kept: String =
        conn.query_row("SELECT value FROM meta WHERE key = 'kept'", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, "1");
    assert!(conn.prepare("SELECT * FROM panes").is_err(), "the backup has the old schema");
}

#[tokio::test]
async fn the_check_finds_a_sound_file_sound_and_a_damaged_one_damaged() {
    let place = Place::new();
    let store = place.open();
    for _ in 0..50 {
        store.write(|tx| tasks::insert(tx, &task(&"a".repeat(900)), None)).await.unwrap();
    }
    let mut health = store.check_in_background();
    let found = health.wait_for(|health| !matches!(health, Health::Checking)).await.unwrap();
    assert!(matches!(&*found, Health::Sound), "{:?}", *found);
    drop(found);
    store.close().await.unwrap();
    let mut bytes = fs::read(place.path()).unwrap();
    let last = bytes.len() - 4096;
    bytes[last..].fill(0xa5);
    fs::write(place.path(), &bytes).unwrap();
    let mut health = place.open().check_in_background();
    let found = health.wait_for(|health| !matches!(health, Health::Checking)).await.unwrap();
    assert!(matches!(&*found, Health::Damaged(_)), "{:?}", *found);
}
