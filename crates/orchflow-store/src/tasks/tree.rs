//! The tree that tasks make: what is above and below, and how it is changed.

use orchflow_types::task::Task;
use orchflow_types::{TaskId, Timestamp};
use rusqlite::params;

use super::{found, get, task};
use crate::column::{At, Key, key, key_opt};
use crate::{Error, Reader, Tx};

/// A task and all below it, each before its children, siblings in their order; empty when
/// the task is not there.
///
/// # Errors
/// When the database cannot be read.
pub fn subtree(reader: &Reader<'_>, id: TaskId) -> Result<Vec<Task>, Error> {
    // The queue of the recursion gives the deepest first: that is depth-first order.
    reader.all(
        "WITH RECURSIVE tree (id, position, depth) AS ( \
           SELECT id, position, 0 FROM tasks WHERE id = ?1 \
           UNION ALL \
           SELECT t.id, t.position, tree.depth + 1 FROM tree JOIN tasks AS t \
             ON t.parent_id = tree.id \
           ORDER BY 3 DESC, 2, 1) \
         SELECT t.id, t.parent_id, t.title, t.description, t.status, t.mode, t.spec, \
           t.position, t.created_at, t.updated_at, t.metadata \
         FROM tree CROSS JOIN tasks AS t ON t.id = tree.id",
        [key(id)],
        task,
    )
}

/// The parents of a task, nearest first; what an event about it is `within`.
///
/// # Errors
/// When the database cannot be read.
pub fn ancestors(reader: &Reader<'_>, id: TaskId) -> Result<Vec<TaskId>, Error> {
    reader.all(
        "WITH RECURSIVE up (id, depth) AS ( \
           SELECT parent_id, 0 FROM tasks WHERE id = ?1 \
           UNION ALL \
           SELECT t.parent_id, up.depth + 1 FROM up JOIN tasks AS t ON t.id = up.id) \
         SELECT id FROM up WHERE id IS NOT NULL ORDER BY depth",
        [key(id)],
        |row| Ok(row.get::<_, Key<TaskId>>(0)?.0),
    )
}

/// Gives a task another parent (none makes it a root) and position.
///
/// # Errors
/// [`Error::TaskNotFound`] for the task or the parent; [`Error::Cycle`] when the parent is
/// the task or below it.
pub fn move_to(
    tx: &mut Tx<'_>,
    id: TaskId,
    parent: Option<TaskId>,
    position: u32,
    at: Timestamp,
) -> Result<(), Error> {
    if let Some(parent) = parent {
        if get(tx, parent)?.is_none() {
            return Err(Error::TaskNotFound(parent));
        }
        if parent == id || ancestors(tx, parent)?.contains(&id) {
            return Err(Error::Cycle { task: id, parent });
        }
    }
    let taken = tx.one(
        "SELECT 1 FROM tasks WHERE parent_id IS ?1 AND position = ?2 AND id <> ?3 LIMIT 1",
        params![key_opt(parent), position, key(id)],
        |_| Ok(()),
    )?;
    if taken.is_some() {
        tx.execute(
            "UPDATE tasks SET position = position + 1 \
             WHERE parent_id IS ?1 AND position >= ?2 AND id <> ?3",
            params![key_opt(parent), position, key(id)],
        )?;
    }
    let changed = tx.execute(
        "UPDATE tasks SET parent_id = ?2, position = ?3, updated_at = ?4 WHERE id = ?1",
        params![key(id), key_opt(parent), position, At(at)],
    )?;
    found(changed, id)
}

/// Takes a task and all below it away; the ids of what went, the task first.
///
/// # Errors
/// [`Error::TaskNotFound`].
pub fn delete(tx: &mut Tx<'_>, id: TaskId) -> Result<Vec<TaskId>, Error> {
    // Parents come before their children, so the children are deleted in reverse order.
    let ids: Vec<TaskId> = tx.all(
        "WITH RECURSIVE tree (id) AS ( \
           SELECT id FROM tasks WHERE id = ?1 \
           UNION ALL \
           SELECT t.id FROM tree JOIN tasks AS t ON t.parent_id = tree.id) \
         SELECT id FROM tree",
        [key(id)],
        |row| Ok(row.get::<_, Key<TaskId>>(0)?.0),
    )?;
    for id in ids.iter().rev() {
        tx.execute("DELETE FROM tasks WHERE id = ?1", [key(*id)])?;
    }
    found(ids.len(), id)?;
    Ok(ids)
}
