//! A transaction that SQLite gives up in the middle of a batch.

use std::sync::mpsc as channel;

use orchflow_types::Timestamp;

use crate::{Store, meta};

#[test]
fn a_transaction_given_up_half_way_loses_those_before_and_spares_those_after() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("state.db"), Timestamp::default()).unwrap();
    store.write_blocking(|tx| meta::set(tx, "there", "1")).unwrap();
    let (release, held) = channel::sync_channel::<()>(0);
    let first = store.try_submit(move |_| {
        let _ = held.recv();
        Ok(())
    });
    let before = store.try_submit(|tx| meta::set(tx, "before", "1")).unwrap();
    // OR ROLLBACK ends the whole transaction, as a full disk or an IO error may.
    let culprit = store.try_submit(|tx| {
        tx.execute("INSERT OR ROLLBACK INTO meta (key, value) VALUES ('there', '2')", [])
    });
    let after = store.try_submit(|tx| meta::set(tx, "after", "1")).unwrap();
    drop(release);
    first.unwrap().wait_blocking().ok();
    before.wait_blocking().unwrap_err();
    culprit.unwrap().wait_blocking().unwrap_err();
    after.wait_blocking().unwrap();
    let there = |key: &'static str| store.read_blocking(|r| meta::get(r, key)).unwrap();
    assert_eq!(["before", "after"].map(there), [None, Some("1".to_owned())]);
    assert_eq!(store.stats().failed, 1);
}
