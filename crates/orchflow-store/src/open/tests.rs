//! A disk without room, made by a limit on the pages the file may have.

use orchflow_types::{ErrorKind, Explain};

use super::*;

#[test]
fn a_full_disk_is_told_as_such_and_what_needs_no_room_still_goes_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let options = Options::default();
    look(&path).unwrap();
    let (conn, _) = prepare(&path, Timestamp::default(), options).unwrap();
    let pages: u32 = conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    conn.pragma_update_and_check(None, "max_page_count", pages + 4, |_| Ok(())).unwrap();
    let found = Found { clean: true, created: true, newest: Cursor(0) };
    let store = start(&path, conn, options, found).unwrap();
    let large = "a".repeat(100_000);
    let refused = store.write_blocking(move |tx| meta::set(tx, "large", &large)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::StorageFull);
    assert!(refused.hint().is_some());
    store.write_blocking(|tx| meta::set(tx, "small", "1")).unwrap();
    let read = store.read_blocking(|r| Ok((meta::get(r, "large")?, meta::get(r, "small")?)));
    assert_eq!(read.unwrap(), (None, Some("1".to_owned())));
}

#[test]
fn opening_a_file_that_is_up_to_date_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (store, _) = Store::open(&path, Timestamp::default()).unwrap();
    store.close_blocking().unwrap();
    let before = fs::read(&path).unwrap();
    let (store, _) = Store::open(&path, Timestamp::default()).unwrap();
    let wal = fs::metadata(folder.path().join("state.db-wal")).map_or(0, |meta| meta.len());
    assert_eq!(wal, 0);
    store.close_blocking().unwrap();
    assert!(fs::read(&path).unwrap() == before);
}
