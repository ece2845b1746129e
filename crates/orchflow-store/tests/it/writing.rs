//! Group commit: what shares a transaction, what is taken back, what is answered when.

use std::sync::mpsc;

use orchflow_store::{Error, Receipt, Store, journal, meta, tasks};
use orchflow_types::{ErrorKind, Explain, RunId};

use crate::{Place, at, mint, task};

/// Keeps the writer busy until the sender is dropped; returns once it is at it.
pub(crate) fn hold(store: &Store) -> (mpsc::SyncSender<()>, Receipt<()>) {
    let (release, held) = mpsc::sync_channel::<()>(0);
    let (begun, at_it) = mpsc::sync_channel(1);
    let receipt = store
        .try_submit(move |_| {
            begun.send(()).unwrap();
            let _ = held.recv();
            Ok(())
        })
        .unwrap();
    at_it.recv().unwrap();
    (release, receipt)
}

#[test]
fn a_hundred_queued_writes_share_one_commit() {
    let place = Place::new();
    let store = place.open();
    let (release, first) = hold(&store);
    let receipts: Vec<_> = (0..100)
        .map(|_| store.try_submit(|tx| tasks::insert(tx, &task("a"), None)).unwrap())
        .collect();
    drop(release);
    first.wait_blocking().unwrap();
    receipts.into_iter().for_each(|receipt| receipt.wait_blocking().unwrap());
    let stats = store.stats();
    assert_eq!((stats.commits, stats.transactions, stats.failed), (2, 101, 0));
    assert_eq!(store.read_blocking(|r| tasks::roots(r, None, None, 1000)).unwrap().len(), 100);
}

#[test]
fn writes_by_many_threads_need_fewer_commits_than_there_are_writes() {
    let place = Place::new();
    let store = place.open();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50 {
                    store.write_blocking(|tx| tasks::insert(tx, &task("a"), None)).unwrap();
                }
            });
        }
    });
    let stats = store.stats();
    assert_eq!(stats.transactions, 800);
    assert!(stats.commits < 800, "{stats:?}");
}

#[test]
fn a_failing_write_and_a_panicking_one_take_back_only_themselves() {
    let place = Place::new();
    let store = place.open();
    let (release, first) = hold(&store);
    let kept = store.try_submit(|tx| meta::set(tx, "kept", "1")).unwrap();
    let failed = store
        .try_submit(|tx| {
            meta::set(tx, "failed", "1")?;
            tasks::set_status(tx, mint(), orchflow_types::task::TaskStatus::Active, at(1))
        })
        .unwrap();
    let panicked = store
        .try_submit(|tx| -> Result<(), Error> {
            meta::set(tx, "panicked", "1")?;
            panic!("on purpose")
        })
        .unwrap();
    let late = store.try_submit(|tx| meta::set(tx, "late", "1")).unwrap();
    drop(release);
    first.wait_blocking().unwrap();
    kept.wait_blocking().unwrap();
    assert_eq!(failed.wait_blocking().unwrap_err().kind(), ErrorKind::TaskNotFound);
    let told = panicked.wait_blocking().unwrap_err();
    assert!(matches!(&told, Error::Panicked(why) if why == "on purpose"), "{told}");
    late.wait_blocking().unwrap();
    let there = |key: &'static str| store.read_blocking(|r| meta::get(r, key)).unwrap().is_some();
    assert_eq!(["kept", "failed", "panicked", "late"].map(there), [true, false, false, true]);
    assert_eq!(store.stats().commits, 2);
}

#[test]
fn writes_happen_in_the_order_they_were_queued_also_when_nobody_waits() {
    let place = Place::new();
    let store = place.open();
    let run: RunId = mint();
    for n in 0..3000_u32 {
        let when = at(n.into());
        let queued =
            store.submit_blocking(move |tx| journal::append(tx, run, n.into(), [(when, "{}")]));
        drop(queued.unwrap());
    }
    store.write_blocking(|_| Ok(())).unwrap();
    let entries = store.read_blocking(|r| journal::replay(r, run)).unwrap();
    let order: Vec<_> = entries.iter().map(|entry| (entry.seq, entry.at)).collect();
    let expected: Vec<_> = (0..3000_u64).map(|n| (n, at(i64::try_from(n).unwrap()))).collect();
    assert_eq!(order, expected);
}

#[test]
fn a_full_queue_refuses_who_does_not_want_to_wait() {
    let place = Place::new();
    let store = place.open();
    let (release, _first) = hold(&store);
    let refused = (0..5000).find_map(|_| store.try_submit(|_| Ok(())).err());
    assert_eq!(refused.expect("the queue has an end").kind(), ErrorKind::Overloaded);
    drop(release);
    store.write_blocking(|_| Ok(())).unwrap();
}

#[test]
fn a_snapshot_does_not_change_while_it_is_read() {
    let place = Place::new();
    let store = place.open();
    store.write_blocking(|tx| tasks::insert(tx, &task("a"), None)).unwrap();
    let count = |r: &orchflow_store::Reader<'_>| Ok(tasks::roots(r, None, None, 100)?.len());
    let seen = store
        .read_blocking(|r| {
            let before = count(r)?;
            store.write_blocking(|tx| tasks::insert(tx, &task("b"), None))?;
            Ok((before, count(r)?))
        })
        .unwrap();
    assert_eq!(seen, (1, 1));
    assert_eq!(store.read_blocking(count).unwrap(), 2);
}

#[test]
fn more_readers_than_connections_take_turns_and_a_panicking_one_gives_its_back() {
    let place = Place::new();
    let store = place.open();
    std::thread::scope(|scope| {
        for n in 0..64 {
            let store = &store;
            scope.spawn(move || {
                let read = std::panic::catch_unwind(|| {
                    store.read_blocking(|r| {
                        assert!(n % 2 == 0, "on purpose");
                        tasks::roots(r, None, None, 1)
                    })
                });
                assert_eq!(read.is_ok(), n % 2 == 0);
            });
        }
    });
    assert!(store.read_blocking(|r| tasks::roots(r, None, None, 1)).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_finishes_what_is_queued_and_refuses_what_comes_after() {
    let place = Place::new();
    let store = place.open();
    assert_eq!(store.read(|r| meta::get(r, "queued")).await.unwrap(), None);
    let receipt = store.submit(|tx| meta::set(tx, "queued", "1")).await.unwrap();
    store.close().await.unwrap();
    let files = std::fs::read_dir(place.folder.path()).unwrap().count();
    assert_eq!(files, 1, "all of the log is in the file");
    receipt.await.unwrap();
    let refused = store.write(|tx| meta::set(tx, "late", "1")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert_eq!(store.read(|r| meta::get(r, "a")).await.unwrap_err().kind(), ErrorKind::Unavailable);
    store.close().await.unwrap();
    let (store, opened) = place.opened();
    assert!(!opened.unclean && !opened.created);
    assert_eq!(store.read(|r| meta::get(r, "queued")).await.unwrap().as_deref(), Some("1"));
}
