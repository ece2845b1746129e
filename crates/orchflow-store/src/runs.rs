//! Runs and their leaves: the latest view of each, and the epoch that fences its owners.

use std::collections::HashSet;

use orchflow_types::run::{Leaf, LeafPhase, Run, RunStatus};
use orchflow_types::task::TaskStatus;
use orchflow_types::{RunId, TaskId};
use rusqlite::{Row, params};

use crate::column::{At, Json, Key, Word, key};
use crate::{Error, Reader, Tx};

/// Whether a run is of the folder `?3`, when one is given.
macro_rules! of_dir {
    () => {
        "(?3 IS NULL OR project = ?3 OR substr(?3, 1, length(project) + 1) = project || '/')"
    };
}

/// Writes a run as it now is, its leaves left out: each is written by [`upsert_leaf`].
///
/// # Errors
/// When the database cannot be written.
pub fn upsert(tx: &mut Tx<'_>, run: &Run) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO runs (run_id, task_id, project, goal, status, created_at, finished_at, view) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (run_id) DO UPDATE SET status = excluded.status, \
         finished_at = excluded.finished_at, view = excluded.view",
        params![
            key(run.run_id),
            key(run.task_id),
            run.project,
            run.goal,
            run.status.as_str(),
            At(run.created_at),
            run.finished_at.map(At),
            Json(&without_leaves(run)),
        ],
    )?;
    Ok(())
}

/// A leaf as it is written: made where the leaf is, so that the writer's thread, which all
/// share, has only bytes to bind.
#[derive(Debug, Clone)]
pub struct LeafRow {
    task_id: TaskId,
    position: u32,
    status: TaskStatus,
    phase: LeafPhase,
    view: String,
}

impl LeafRow {
    /// The row of `leaf`. `position` is its place in the plan, from 0.
    pub fn new(position: u32, leaf: &Leaf) -> Self {
        Self {
            task_id: leaf.task_id,
            position,
            status: leaf.status,
            phase: leaf.phase,
            view: serde_json::to_string(leaf).expect("a leaf is plain data with text keys"),
        }
    }
}

/// Writes one leaf of a run as it now is.
///
/// # Errors
/// [`Error::RunNotFound`] when the run was not written before.
pub fn upsert_leaf(tx: &mut Tx<'_>, run_id: RunId, leaf: &LeafRow) -> Result<(), Error> {
    let write = |tx: &mut Tx<'_>, sql| {
        let (status, phase) = (Word(leaf.status), Word(leaf.phase));
        let (run, task) = (key(run_id), key(leaf.task_id));
        tx.execute(sql, params![run, task, leaf.position, status, phase, leaf.view])
    };
    // Nearly always it is there, and an update costs less than an insert that gives way.
    let changed = write(
        tx,
        "UPDATE run_leaves SET position = ?3, status = ?4, phase = ?5, view = ?6 \
         WHERE run_id = ?1 AND task_id = ?2",
    )?;
    let written = changed > 0
        || write(
            tx,
            "INSERT INTO run_leaves (run_id, task_id, position, status, phase, view) \
             SELECT run_id, ?2, ?3, ?4, ?5, ?6 FROM runs WHERE run_id = ?1",
        )? > 0;
    if written { Ok(()) } else { Err(Error::RunNotFound(run_id)) }
}

/// Takes every leaf away that is not among `leaves`, as when another plan was approved;
/// the tasks of those that went, in the old plan's order.
///
/// # Errors
/// When the database cannot be written.
pub fn retain_leaves(
    tx: &mut Tx<'_>,
    run_id: RunId,
    leaves: &[TaskId],
) -> Result<Vec<TaskId>, Error> {
    let mut gone = tx.all(
        "SELECT task_id FROM run_leaves WHERE run_id = ?1 ORDER BY position, task_id",
        [key(run_id)],
        |row| Ok(row.get::<_, Key<TaskId>>(0)?.0),
    )?;
    let leaves: HashSet<&TaskId> = leaves.iter().collect();
    gone.retain(|leaf| !leaves.contains(leaf));
    for leaf in &gone {
        tx.execute(
            "DELETE FROM run_leaves WHERE run_id = ?1 AND task_id = ?2",
            params![key(run_id), key(*leaf)],
        )?;
    }
    Ok(gone)
}

/// A run with its leaves in the plan's order.
///
/// # Errors
/// When the database cannot be read.
pub fn get(reader: &Reader<'_>, run_id: RunId) -> Result<Option<Run>, Error> {
    let run = reader.one("SELECT view FROM runs WHERE run_id = ?1", [key(run_id)], view)?;
    run.map(|run| with_leaves(reader, run)).transpose()
}

/// Where a run stands, by its row alone; none when there is no such run.
///
/// # Errors
/// When the database cannot be read.
pub fn status(reader: &Reader<'_>, run_id: RunId) -> Result<Option<RunStatus>, Error> {
    // The column, not the view: that holds the whole plan.
    reader.one("SELECT status FROM runs WHERE run_id = ?1", [key(run_id)], |row| {
        Ok(row.get::<_, Word<RunStatus>>(0)?.0)
    })
}

/// At most `limit` runs with their leaves, newest first, older than `before`; with `dir`
/// those of the project that this folder is, or is in.
///
/// # Errors
/// When the database cannot be read.
pub fn list(
    reader: &Reader<'_>,
    status: Option<RunStatus>,
    dir: Option<&str>,
    before: Option<RunId>,
    limit: u32,
) -> Result<Vec<Run>, Error> {
    let before = before.map_or([0xff; 16], key);
    let runs = match status {
        None => reader.all(
            concat!(
                "SELECT view FROM runs WHERE ",
                of_dir!(),
                " AND run_id < ?1 ORDER BY run_id DESC LIMIT ?2"
            ),
            params![before, limit, dir],
            view,
        )?,
        Some(status) => reader.all(
            concat!(
                "SELECT view FROM runs WHERE status = ?4 AND ",
                of_dir!(),
                " AND run_id < ?1 ORDER BY run_id DESC LIMIT ?2"
            ),
            params![before, limit, dir, status.as_str()],
            view,
        )?,
    };
    runs.into_iter().map(|run| with_leaves(reader, run)).collect()
}

/// Every run that has not ended, oldest first: what is resumed at a start.
///
/// # Errors
/// When the database cannot be read.
pub fn unfinished(reader: &Reader<'_>) -> Result<Vec<Run>, Error> {
    let runs =
        reader.all("SELECT view FROM runs WHERE finished_at IS NULL ORDER BY run_id", [], view)?;
    runs.into_iter().map(|run| with_leaves(reader, run)).collect()
}

/// How many runs have not ended.
///
/// # Errors
/// When the database cannot be read.
pub fn count_unfinished(reader: &Reader<'_>) -> Result<u64, Error> {
    let count =
        reader.one("SELECT count(*) FROM runs WHERE finished_at IS NULL", [], |row| row.get(0))?;
    Ok(count.unwrap_or(0))
}

/// The runs of a task, newest first.
///
/// # Errors
/// When the database cannot be read.
pub fn of_task(reader: &Reader<'_>, task_id: TaskId) -> Result<Vec<RunId>, Error> {
    reader.all(
        "SELECT run_id FROM runs WHERE task_id = ?1 ORDER BY run_id DESC",
        [key(task_id)],
        |row| Ok(row.get::<_, Key<RunId>>(0)?.0),
    )
}

/// Takes a run over with an epoch of its own: whoever owned it before is fenced off.
///
/// # Errors
/// [`Error::Fenced`] when the epoch is not newer than the one it has, [`Error::RunNotFound`].
pub fn claim(tx: &mut Tx<'_>, run_id: RunId, given: u64) -> Result<(), Error> {
    let current = epoch(tx, run_id)?;
    if given <= current {
        return Err(Error::Fenced { run: run_id, given, current });
    }
    tx.execute("UPDATE runs SET epoch = ?2 WHERE run_id = ?1", (key(run_id), given)).map(drop)
}

/// The epoch of a run: 0 until it is claimed.
///
/// # Errors
/// [`Error::RunNotFound`].
pub fn epoch(reader: &Reader<'_>, run_id: RunId) -> Result<u64, Error> {
    let epoch =
        reader.one("SELECT epoch FROM runs WHERE run_id = ?1", [key(run_id)], |row| row.get(0))?;
    epoch.ok_or(Error::RunNotFound(run_id))
}

/// Refuses who does not own a run any more; asked in the transaction that writes.
///
/// # Errors
/// [`Error::Fenced`], [`Error::RunNotFound`].
pub fn fence(reader: &Reader<'_>, run_id: RunId, given: u64) -> Result<(), Error> {
    let current = epoch(reader, run_id)?;
    if current == given { Ok(()) } else { Err(Error::Fenced { run: run_id, given, current }) }
}

fn with_leaves(reader: &Reader<'_>, run: Run) -> Result<Run, Error> {
    let leaves = reader.all(
        "SELECT view FROM run_leaves WHERE run_id = ?1 ORDER BY position, task_id",
        [key(run.run_id)],
        |row| Ok(row.get::<_, Json<Leaf>>(0)?.0),
    )?;
    Ok(Run { leaves, ..run })
}

fn view(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(row.get::<_, Json<Run>>(0)?.0)
}

/// Field by field, so that a new one is decided on here, and the leaves are not cloned.
fn without_leaves(run: &Run) -> Run {
    Run {
        run_id: run.run_id,
        task_id: run.task_id,
        goal: run.goal.clone(),
        project: run.project.clone(),
        status: run.status,
        options: run.options.clone(),
        planner: run.planner.clone(),
        plan: run.plan.clone(),
        leaves: Vec::new(),
        base: run.base.clone(),
        landing: run.landing.clone(),
        reason: run.reason.clone(),
        created_at: run.created_at,
        finished_at: run.finished_at,
    }
}
