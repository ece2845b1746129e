//! kill -9 of a process that writes: what was acknowledged is there, what was not is whole
//! or absent.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use orchflow_runtime::env;
use orchflow_store::events::{self, Filter};
use orchflow_store::{Options, Parts, Store, meta, panes, tasks};
use orchflow_types::event::NewEvent;
use orchflow_types::{Cursor, EventType, TaskId};
use rusqlite::Connection;

use crate::{Place, at, task};

const DATABASE: &str = "ORCHFLOW_TEST_DATABASE";

/// This binary again, doing what [`child_writes_for_ever`] does, killed at `crash`.
#[expect(clippy::disallowed_methods, reason = "the test binary itself is the child, and is killed")]
fn child(database: &Path, crash: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_writes_for_ever", "--ignored", "--nocapture"])
        .env(DATABASE, database)
        .env("ORCHFLOW_CRASH", crash)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The ids a child said were written.
fn acknowledged(text: &str) -> BTreeSet<TaskId> {
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.filter_map(|line| line.trim().strip_prefix("written ")?.parse().ok()).collect()
}

fn run_to_its_end(database: &Path, crash: &str) -> BTreeSet<TaskId> {
    let output = child(database, crash).wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(9), "it was killed at its crash point");
    acknowledged(&String::from_utf8(output.stdout).unwrap())
}

/// What is in the file; each task must have its event and the other way round.
fn there(place: &Place) -> BTreeSet<TaskId> {
    let (store, opened) = place.opened();
    assert!(opened.unclean);
    let (tasks, page) = store
        .read_blocking(|r| {
            let filter = Filter::default();
            Ok((
                tasks::roots(r, None, None, u32::MAX)?,
                events::after(r, Cursor(0), &filter, u32::MAX)?,
            ))
        })
        .unwrap();
    let tasks: BTreeSet<_> = tasks.iter().map(|task| task.id).collect();
    let told = page.events.iter().map(|event| event.about.parse().unwrap()).collect();
    assert_eq!(tasks, told);
    store.close_blocking().unwrap();
    tasks
}

#[test]
#[ignore = "the child of the other tests"]
fn child_writes_for_ever() {
    let Some(database) = env::var(DATABASE) else { return };
    let (store, _) = Store::open(Path::new(&database), at(1)).unwrap();
    loop {
        let task = task("a");
        let id = task.id;
        let event = NewEvent {
            kind: EventType::TaskCreated,
            about: id.to_string(),
            within: Vec::new(),
            data: serde_json::Value::Null,
        };
        store
            .write_blocking(move |tx| {
                tasks::insert(tx, &task, None)?;
                events::append(tx, at(1), [event])
            })
            .unwrap();
        println!("written {id}");
    }
}

#[test]
fn every_acknowledged_write_survives_a_kill_at_any_instant() {
    let place = Place::new();
    for _ in 0..3 {
        let mut child = child(&place.path(), "");
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while acknowledged(&text).len() < 50 {
            assert!(lines.read_line(&mut text).unwrap() > 0, "{text}");
        }
        child.kill().unwrap();
        lines.read_to_string(&mut text).unwrap();
        child.wait().unwrap();
        let (written, there) = (acknowledged(&text), there(&place));
        assert!(written.is_subset(&there), "{} of {}", there.len(), written.len());
    }
}

#[test]
fn a_kill_before_the_commit_leaves_nothing_of_it_and_one_after_leaves_all() {
    let place = Place::new();
    let written = run_to_its_end(&place.path(), "store.before_commit:4");
    assert_eq!(written.len(), 3);
    assert_eq!(there(&place), written);
    let place = Place::new();
    let written = run_to_its_end(&place.path(), "store.after_commit:4");
    assert_eq!(written.len(), 3);
    assert_eq!(there(&place).len(), 4);
    // Who only looked does not vouch for the file; who wrote and closed it does.
    let (store, opened) = place.opened();
    assert!(opened.unclean);
    store.write_blocking(|tx| meta::set(tx, "a", "1")).unwrap();
    store.close_blocking().unwrap();
    assert!(!place.opened().1.unclean);
}

#[test]
fn a_kill_while_a_new_file_is_made_leaves_one_that_opens() {
    for step in 1..=3 {
        let place = Place::new();
        run_to_its_end(&place.path(), &format!("store.after_migration_step:{step}"));
        let (store, opened) = place.opened();
        assert!(opened.created && !opened.unclean);
        store.write_blocking(|tx| tasks::insert(tx, &task("a"), None)).unwrap();
    }
}

#[test]
fn a_kill_in_the_middle_of_a_migration_leaves_the_old_schema_and_the_next_try_succeeds() {
    let place = Place::new();
    let options = Options { parts: Parts::Orchestrator, ..Options::default() };
    let (store, _) = Store::open_with(&place.path(), at(1), options).unwrap();
    store.write_blocking(|tx| meta::set(tx, "kept", "1")).unwrap();
    store.close_blocking().unwrap();
    run_to_its_end(&place.path(), "store.after_migration_step");
    let conn = Connection::open(place.path()).unwrap();
    assert!(conn.prepare("SELECT * FROM panes").is_err());
    conn.close().unwrap();
    let (store, opened) = place.opened();
    assert_eq!(opened.migrated_from, Some(0));
    assert!(store.read_blocking(|r| panes::list(r, None, None, 1)).unwrap().is_empty());
    assert_eq!(store.read_blocking(|r| meta::get(r, "kept")).unwrap().as_deref(), Some("1"));
}
