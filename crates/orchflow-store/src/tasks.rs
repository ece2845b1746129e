//! The task tree: rows, their order among siblings, and moves that keep it a tree.
//!
//! Positions order siblings, ascending. A move or a deletion may leave a gap; a move to
//! a place that is taken shifts those from there on by one.

use orchflow_types::task::{Task, TaskStatus};
use orchflow_types::{RunId, TaskId, Timestamp};
use rusqlite::{Row, ffi, params};

use crate::column::{At, Json, Key, Word, key, key_opt};
use crate::{Error, Reader, Tx};

mod tree;

pub use tree::{ancestors, delete, move_to, subtree};

/// A place among siblings; where a page of them ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The position of the last task seen.
    pub position: u32,
    /// The last task seen.
    pub id: TaskId,
}

impl From<&Task> for Place {
    fn from(task: &Task) -> Self {
        Self { position: task.position, id: task.id }
    }
}

/// The columns of [`Task`] in the order [`task`] reads them.
macro_rules! columns {
    () => {
        "id, parent_id, title, description, status, mode, spec, position, created_at, \
         updated_at, metadata"
    };
}

/// Puts a task into the tree, at the position it has. `run` is the run it belongs to.
///
/// # Errors
/// [`Error::TaskNotFound`] when its parent is not there; a conflict when it is there already.
pub fn insert(tx: &mut Tx<'_>, task: &Task, run: Option<RunId>) -> Result<(), Error> {
    let inserted = tx.execute(
        "INSERT INTO tasks (id, parent_id, title, description, status, mode, spec, position, \
         created_at, updated_at, metadata, run_id) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            key(task.id),
            key_opt(task.parent_id),
            task.title,
            task.description,
            Word(task.status),
            Word(task.mode),
            Json(&task.spec),
            task.position,
            At(task.created_at),
            At(task.updated_at),
            Json(&task.metadata),
            key_opt(run),
        ],
    );
    match (inserted, task.parent_id) {
        (Err(error), Some(parent)) if is_foreign_key(&error) => Err(Error::TaskNotFound(parent)),
        (inserted, _) => inserted.map(drop),
    }
}

/// A task.
///
/// # Errors
/// When the database cannot be read.
pub fn get(reader: &Reader<'_>, id: TaskId) -> Result<Option<Task>, Error> {
    reader.one(concat!("SELECT ", columns!(), " FROM tasks WHERE id = ?1"), [key(id)], task)
}

/// The run a task belongs to.
///
/// # Errors
/// When the database cannot be read.
pub fn run_of(reader: &Reader<'_>, id: TaskId) -> Result<Option<RunId>, Error> {
    let run = reader.one("SELECT run_id FROM tasks WHERE id = ?1", [key(id)], |row| {
        Ok(row.get::<_, Option<Key<RunId>>>(0)?.map(|run| run.0))
    })?;
    Ok(run.flatten())
}

/// Writes everything of a task but its parent, position and creation.
///
/// # Errors
/// [`Error::TaskNotFound`].
pub fn update(tx: &mut Tx<'_>, task: &Task) -> Result<(), Error> {
    let changed = tx.execute(
        "UPDATE tasks SET title = ?2, description = ?3, status = ?4, mode = ?5, spec = ?6, \
         metadata = ?7, updated_at = ?8 WHERE id = ?1",
        params![
            key(task.id),
            task.title,
            task.description,
            Word(task.status),
            Word(task.mode),
            Json(&task.spec),
            Json(&task.metadata),
            At(task.updated_at),
        ],
    )?;
    found(changed, task.id)
}

/// Writes only the status of a task.
///
/// # Errors
/// [`Error::TaskNotFound`].
pub fn set_status(
    tx: &mut Tx<'_>,
    id: TaskId,
    status: TaskStatus,
    at: Timestamp,
) -> Result<(), Error> {
    let changed = tx.execute(
        "UPDATE tasks SET status = ?2, updated_at = ?3 WHERE id = ?1",
        params![key(id), Word(status), At(at)],
    )?;
    found(changed, id)
}

/// Says which run a task belongs to.
///
/// # Errors
/// [`Error::TaskNotFound`].
pub fn set_run(tx: &mut Tx<'_>, id: TaskId, run: Option<RunId>) -> Result<(), Error> {
    let changed =
        tx.execute("UPDATE tasks SET run_id = ?2 WHERE id = ?1", params![key(id), key_opt(run)])?;
    found(changed, id)
}

/// The position after the last child of `parent` (the last root for none).
///
/// # Errors
/// When the database cannot be read.
pub fn next_position(reader: &Reader<'_>, parent: Option<TaskId>) -> Result<u32, Error> {
    let last = reader.one(
        "SELECT max(position) FROM tasks WHERE parent_id IS ?1",
        [key_opt(parent)],
        |row| row.get::<_, Option<u32>>(0),
    )?;
    Ok(last.flatten().map_or(0, |last| last.saturating_add(1)))
}

/// At most `limit` children of a task, in their order, after a place.
///
/// # Errors
/// When the database cannot be read.
pub fn children(
    reader: &Reader<'_>,
    parent: TaskId,
    after: Option<Place>,
    limit: u32,
) -> Result<Vec<Task>, Error> {
    let (position, id) = after.map_or((-1, [0; 16]), |p| (i64::from(p.position), key(p.id)));
    reader.all(
        concat!(
            "SELECT ",
            columns!(),
            " FROM tasks WHERE parent_id = ?1 AND (position, id) > (?2, ?3) \
             ORDER BY position, id LIMIT ?4"
        ),
        params![key(parent), position, id, limit],
        task,
    )
}

/// At most `limit` tasks without a parent, newest first, older than `before`.
///
/// # Errors
/// When the database cannot be read.
pub fn roots(
    reader: &Reader<'_>,
    status: Option<TaskStatus>,
    before: Option<TaskId>,
    limit: u32,
) -> Result<Vec<Task>, Error> {
    // UUIDs sort as their bytes and begin with the time they were minted. Without INDEXED
    // BY the planner takes the index by parent and sorts every root for each page.
    let before = before.map_or([0xff; 16], key);
    match status {
        None => reader.all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM tasks INDEXED BY tasks_roots WHERE parent_id IS NULL AND id < ?1 \
                 ORDER BY id DESC LIMIT ?2"
            ),
            params![before, limit],
            task,
        ),
        Some(status) => reader.all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM tasks WHERE status = ?3 AND parent_id IS NULL AND id < ?1 \
                 ORDER BY id DESC LIMIT ?2"
            ),
            params![before, limit, Word(status)],
            task,
        ),
    }
}

/// How many tasks there are in each status that any task has.
///
/// # Errors
/// When the database cannot be read.
pub fn count_by_status(reader: &Reader<'_>) -> Result<Vec<(TaskStatus, u64)>, Error> {
    reader.all("SELECT status, count(*) FROM tasks GROUP BY status", [], |row| {
        Ok((row.get::<_, Word<TaskStatus>>(0)?.0, row.get(1)?))
    })
}

fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        id: row.get::<_, Key<TaskId>>(0)?.0,
        parent_id: row.get::<_, Option<Key<TaskId>>>(1)?.map(|parent| parent.0),
        title: row.get(2)?,
        description: row.get(3)?,
        status: row.get::<_, Word<_>>(4)?.0,
        mode: row.get::<_, Word<_>>(5)?.0,
        spec: row.get::<_, Json<_>>(6)?.0,
        position: row.get(7)?,
        created_at: row.get::<_, At>(8)?.0,
        updated_at: row.get::<_, At>(9)?.0,
        metadata: row.get::<_, Json<_>>(10)?.0,
    })
}

const fn found(rows: usize, id: TaskId) -> Result<(), Error> {
    if rows == 0 { Err(Error::TaskNotFound(id)) } else { Ok(()) }
}

fn is_foreign_key(error: &Error) -> bool {
    let Error::Sql { source, .. } = error else { return false };
    source
        .sqlite_error()
        .is_some_and(|error| error.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
}

#[cfg(test)]
mod tests;
