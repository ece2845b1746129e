//! The event log: there exactly when committed, read without gaps, filtered by what is above.

use orchflow_store::events::{self, Filter};
use orchflow_store::{Error, Store};
use orchflow_types::event::NewEvent;
use orchflow_types::{Cursor, EventType, RunId, TaskId};

use crate::writing::hold;
use crate::{Place, at, mint};

fn event(kind: EventType, about: impl ToString, within: &[&dyn ToString]) -> NewEvent {
    NewEvent {
        kind,
        about: about.to_string(),
        within: within.iter().map(|id| id.to_string()).collect(),
        data: serde_json::json!({ "n": 1 }),
    }
}

fn append(store: &Store, event: NewEvent) -> Cursor {
    store.write_blocking(move |tx| events::append(tx, at(7), [event])).unwrap()
}

fn all_after(store: &Store, after: Cursor) -> Vec<Cursor> {
    let page = store.read_blocking(|r| events::after(r, after, &Filter::default(), 1000)).unwrap();
    page.events.iter().map(|event| event.cursor).collect()
}

#[test]
fn an_event_of_a_write_that_fails_never_was_and_rings_no_bell() {
    let place = Place::new();
    let store = place.open();
    let mut bell = store.bell();
    bell.mark_unchanged();
    let failed = store.write_blocking(|tx| -> Result<(), Error> {
        events::append(tx, at(1), [event(EventType::TaskCreated, "a", &[])])?;
        Err(Error::Overloaded)
    });
    assert!(failed.is_err());
    assert!(!bell.has_changed().unwrap());
    assert!(all_after(&store, Cursor(0)).is_empty());
    assert_eq!(append(&store, event(EventType::TaskCreated, "b", &[])), Cursor(1));
    assert!(bell.has_changed().unwrap());
    assert_eq!(*bell.borrow_and_update(), Cursor(1));
    assert_eq!(all_after(&store, Cursor(0)), [Cursor(1)]);
}

#[test]
fn nobody_sees_an_event_or_hears_the_bell_before_the_commit() {
    let place = Place::new();
    let store = place.open();
    let (release, _first) = hold(&store);
    let appended = store
        .try_submit(|tx| events::append(tx, at(1), [event(EventType::RunStarted, "a", &[])]))
        .unwrap();
    let (reached, waits) = std::sync::mpsc::sync_channel(1);
    let (go_on, held) = std::sync::mpsc::sync_channel::<()>(0);
    let second = store
        .try_submit(move |_| {
            reached.send(()).unwrap();
            let _ = held.recv();
            Ok(())
        })
        .unwrap();
    drop(release);
    waits.recv().unwrap(); // the event is written, its transaction is still open
    assert_eq!(*store.bell().borrow(), Cursor(0));
    assert!(all_after(&store, Cursor(0)).is_empty());
    drop(go_on);
    second.wait_blocking().unwrap();
    assert_eq!(appended.wait_blocking().unwrap(), Cursor(1));
    assert_eq!(*store.bell().borrow(), Cursor(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bell_wakes_who_waits() {
    let place = Place::new();
    let store = place.open();
    let mut bell = store.bell();
    let (heard, written) = tokio::join!(
        bell.wait_for(|cursor| *cursor == Cursor(1)),
        store.write(|tx| events::append(tx, at(1), [event(EventType::RunStarted, "a", &[])])),
    );
    assert_eq!(*heard.unwrap(), Cursor(1));
    assert_eq!(written.unwrap(), Cursor(1));
}

#[test]
fn a_filter_finds_what_is_below_an_id_and_only_the_types_asked_for() {
    let place = Place::new();
    let store = place.open();
    let (run, other, root, leaf): (RunId, RunId, TaskId, TaskId) = (mint(), mint(), mint(), mint());
    append(&store, event(EventType::RunStarted, run, &[]));
    append(&store, event(EventType::TaskCreated, root, &[&run]));
    append(&store, event(EventType::RunStarted, other, &[]));
    append(&store, event(EventType::TaskCreated, leaf, &[&root, &run, &run]));
    append(&store, event(EventType::TaskUpdated, leaf, &[&root, &run]));
    append(&store, event(EventType::ConfigChanged, "config", &[]));
    let read = |about: Option<String>, types: &[EventType]| {
        let filter = Filter { about, types: types.to_vec() };
        let page = store.read_blocking(|r| events::after(r, Cursor(0), &filter, 100)).unwrap();
        assert_eq!(page.next, Cursor(6), "a page that is not full reaches the end of the log");
        page.events.iter().map(|event| event.cursor.0).collect::<Vec<_>>()
    };
    assert_eq!(read(Some(run.to_string()), &[]), [1, 2, 4, 5]);
    assert_eq!(read(Some(root.to_string()), &[]), [2, 4, 5]);
    assert_eq!(read(Some(leaf.to_string()), &[EventType::TaskUpdated]), [5]);
    assert_eq!(read(Some(other.to_string()), &[]), [3]);
    assert_eq!(read(Some("config".to_owned()), &[]), [6]);
    assert_eq!(read(Some("nobody".to_owned()), &[]), [0_u64; 0]);
    assert_eq!(read(None, &[EventType::RunStarted, EventType::ConfigChanged]), [1, 3, 6]);
}

#[test]
fn an_event_reads_back_as_it_was_written() {
    let place = Place::new();
    let store = place.open();
    let run: RunId = mint();
    let new = event(EventType::RunFinished, run, &[]);
    append(&store, new.clone());
    let page =
        store.read_blocking(|r| events::after(r, Cursor(0), &Filter::default(), 10)).unwrap();
    let read = &page.events[0];
    assert_eq!(
        (read.cursor, read.at, read.kind, &read.about, &read.data),
        (Cursor(1), at(7), EventType::RunFinished, &run.to_string(), &new.data)
    );
}

#[test]
fn twenty_readers_page_without_a_gap_while_events_are_written() {
    const EVENTS: u64 = 2000;
    let place = Place::new();
    let store = place.open();
    std::thread::scope(|scope| {
        for reader in 0..20_u32 {
            let store = store.clone();
            scope.spawn(move || {
                let mut next = Cursor(0);
                while next < Cursor(EVENTS) {
                    let limit = 1 + reader * 7 % 50;
                    let filter = Filter::default();
                    let page =
                        store.read_blocking(|r| events::after(r, next, &filter, limit)).unwrap();
                    for event in &page.events {
                        assert_eq!(event.cursor.0, next.0 + 1);
                        next = event.cursor;
                    }
                    assert_eq!(page.next, next);
                }
            });
        }
        for n in 0..EVENTS / 2 {
            let pair = [
                event(EventType::TaskCreated, "a", &[]),
                event(EventType::TaskUpdated, n, &[&"a"]),
            ];
            let queued = store.submit_blocking(move |tx| events::append(tx, at(1), pair));
            drop(queued.unwrap());
        }
    });
    let page = store.read_blocking(events::last).unwrap();
    assert_eq!(page, Cursor(EVENTS));
}
