//! What a call costs SQLite must not grow with the number of tasks there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use orchflow_runtime::{Clock, ids};
use orchflow_types::task::{TaskMode, TaskSpec};
use rusqlite::Connection;

use super::*;
use crate::schema::Parts;

const MANY: u32 = 10_000;

/// A database in memory: as many roots as children of the first root.
fn many() -> (Connection, Vec<TaskId>, Vec<TaskId>) {
    let conn = Connection::open_in_memory().unwrap();
    for part in Parts::Both.wanted() {
        part.steps.iter().for_each(|step| conn.execute_batch(step).unwrap());
    }
    let mut tx = Tx::new(&conn);
    tx.execute("BEGIN", []).unwrap();
    let roots: Vec<_> = (0..MANY).map(|n| put(&mut tx, None, n)).collect();
    let children: Vec<_> = (0..MANY).map(|n| put(&mut tx, Some(roots[0]), n)).collect();
    set_status(&mut tx, roots[7], TaskStatus::Active, Timestamp::default()).unwrap();
    tx.execute("COMMIT", []).unwrap();
    (conn, roots, children)
}

fn put(tx: &mut Tx<'_>, parent_id: Option<TaskId>, position: u32) -> TaskId {
    let task = Task {
        id: ids::mint(&Clock::system()),
        parent_id,
        title: "a task".to_owned(),
        description: String::new(),
        status: TaskStatus::Pending,
        mode: TaskMode::Autonomous,
        spec: TaskSpec::default(),
        position,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        metadata: serde_json::Map::new(),
    };
    insert(tx, &task, None).unwrap();
    task.id
}

/// Hundreds of instructions of SQLite's machine that `work` took.
fn effort(conn: &mut Connection, work: impl FnOnce(&mut Tx<'_>)) -> u32 {
    let count = Arc::new(AtomicU32::new(0));
    let counter = count.clone();
    let handler = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    conn.progress_handler(100, Some(handler)).unwrap();
    work(&mut Tx::new(conn));
    conn.progress_handler(0, None::<fn() -> bool>).unwrap();
    count.load(Ordering::Relaxed)
}

#[test]
fn a_page_a_status_a_move_and_a_deletion_cost_the_same_among_many_tasks() {
    let (mut conn, roots, ids) = many();
    let at = Timestamp::default();
    let (middle, root) = (ids[5000], roots[0]);
    let place = Place { position: 5000, id: middle };
    let efforts = [
        effort(&mut conn, |tx| assert!(get(tx, middle).unwrap().is_some())),
        effort(&mut conn, |tx| {
            assert_eq!(super::roots(tx, None, Some(roots[99]), 9).unwrap().len(), 9);
        }),
        effort(&mut conn, |tx| {
            let active = super::roots(tx, Some(TaskStatus::Active), None, 9).unwrap();
            assert_eq!(active.len(), 1);
        }),
        effort(&mut conn, |tx| {
            assert_eq!(children(tx, root, Some(place), 9).unwrap()[0].id, ids[5001]);
        }),
        effort(&mut conn, |tx| assert_eq!(next_position(tx, Some(root)).unwrap(), MANY)),
        effort(&mut conn, |tx| assert_eq!(subtree(tx, roots[1]).unwrap().len(), 1)),
        effort(&mut conn, |tx| assert_eq!(ancestors(tx, middle).unwrap(), [root])),
        effort(&mut conn, |tx| set_status(tx, middle, TaskStatus::Completed, at).unwrap()),
        effort(&mut conn, |tx| move_to(tx, middle, Some(root), MANY, at).unwrap()),
        effort(&mut conn, |tx| move_to(tx, middle, None, MANY, at).unwrap()),
        effort(&mut conn, |tx| assert_eq!(delete(tx, middle).unwrap(), [middle])),
    ];
    assert!(efforts.iter().all(|effort| *effort < 10), "{efforts:?}");
}

#[test]
fn the_whole_of_a_wide_subtree_is_read_in_order() {
    let (conn, roots, ids) = many();
    let read: Vec<_> =
        subtree(&Reader::new(&conn), roots[0]).unwrap().iter().map(|task| task.id).collect();
    assert_eq!(read[0], roots[0]);
    assert_eq!(read[1..], ids);
}
