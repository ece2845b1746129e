//! The store against real SQLite files.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands, in its helpers too")]

mod crash;
mod events;
mod files;
mod rows;
mod speed;
mod tree;
mod writing;

use std::path::PathBuf;

use orchflow_runtime::{Clock, ids};
use orchflow_store::{Opened, Store};
use orchflow_types::TaskId;
use orchflow_types::Timestamp;
use orchflow_types::id::Id;
use orchflow_types::task::{Task, TaskMode, TaskSpec, TaskStatus};
use tempfile::TempDir;

/// A folder with a database in it, gone at the end of the test.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    fn open(&self) -> Store {
        self.opened().0
    }

    fn opened(&self) -> (Store, Opened) {
        Store::open(&self.path(), at(1)).unwrap()
    }
}

/// A moment `n` milliseconds after the epoch.
fn at(n: i64) -> Timestamp {
    Timestamp::from_millis(n)
}

fn mint<I: Id>() -> I {
    ids::mint(&Clock::system())
}

/// A root task.
fn task(title: &str) -> Task {
    Task {
        id: mint(),
        parent_id: None,
        title: title.to_owned(),
        description: String::new(),
        status: TaskStatus::Pending,
        mode: TaskMode::Autonomous,
        spec: TaskSpec::default(),
        position: 0,
        created_at: at(1),
        updated_at: at(1),
        metadata: serde_json::Map::new(),
    }
}

/// A task below another.
fn child(parent: TaskId, position: u32) -> Task {
    Task { parent_id: Some(parent), position, ..task("child") }
}
