//! What takes long must not hold up the end.

use std::sync::mpsc;

use orchflow_types::Timestamp;

use crate::Store;

#[test]
fn closing_interrupts_what_runs_on_a_connection_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("state.db"), Timestamp::default()).unwrap();
    let mut conn = store.shared().readers.apart().unwrap();
    let (begun, at_it) = mpsc::sync_channel(1);
    let tell = move || {
        let _ = begun.try_send(());
        false
    };
    conn.progress_handler(1000, Some(tell)).unwrap();
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT count(*) FROM n";
    let long = std::thread::spawn(move || conn.query_row(endless, [], |row| row.get::<_, i64>(0)));
    at_it.recv().unwrap();
    store.close_blocking().unwrap();
    let error = long.join().unwrap().unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
}
