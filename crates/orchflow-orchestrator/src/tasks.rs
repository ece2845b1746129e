//! `task.*`: the task tree.

mod import;
mod plan;

use orchflow_protocol::task::{
    CreateParams, DeleteResult, ListParams, ListResult, MoveParams, StartParams, StartResult,
    TaskParams, TreeResult, UpdateParams,
};
use orchflow_store::{Reader, Tx, events, runs as run_rows, tasks as rows};
use orchflow_types::event::NewEvent;
use orchflow_types::task::{Task, TaskStatus};
use orchflow_types::{EventType, RunId, TaskId};
use orchflow_workflow::Command;
use serde_json::json;

use crate::{Error, Orchestrator, runs};

pub use import::{export, import};

/// Tasks in one page of a list when the caller does not say how many.
const PAGE: u32 = 100;
/// The most in one page.
const PAGE_MAX: u32 = 1000;

/// `task.create`.
///
/// # Errors
/// `invalid_params` when the title is empty, `task_not_found` when the parent is not there.
pub async fn create(cx: Orchestrator, params: CreateParams) -> Result<Task, Error> {
    if params.title.trim().is_empty() {
        return Err(Error::EmptyField { field: "title" });
    }
    let at = cx.clock().now();
    let mut task = Task {
        id: cx.mint(),
        parent_id: params.parent_id,
        title: params.title,
        description: params.description,
        status: TaskStatus::Pending,
        mode: params.mode,
        spec: params.spec,
        position: 0,
        created_at: at,
        updated_at: at,
        metadata: params.metadata,
    };
    let write = move |tx: &mut Tx<'_>| {
        task.position = rows::next_position(tx, task.parent_id)?;
        rows::insert(tx, &task, None)?;
        events::append(tx, at, [event(tx, EventType::TaskCreated, &task)?])?;
        Ok(task)
    };
    Ok(cx.store().write(write).await?)
}

/// `task.get`.
///
/// # Errors
/// `task_not_found`.
pub async fn get(cx: Orchestrator, params: TaskParams) -> Result<Task, Error> {
    fetch(&cx, params.task_id).await
}

/// `task.list`: children in their order, or roots newest first.
///
/// # Errors
/// When the cursor is none of this list's.
pub async fn list(cx: Orchestrator, params: ListParams) -> Result<ListResult, Error> {
    let limit = params.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let cursor: Option<TaskId> = match &params.cursor {
        None => None,
        Some(given) => Some(given.parse().map_err(|_| Error::BadCursor { given: given.clone() })?),
    };
    let (parent, status) = (params.parent_id, params.status);
    let read = move |reader: &Reader<'_>| {
        let Some(parent) = parent else { return rows::roots(reader, status, cursor, limit) };
        let after = match cursor {
            None => None,
            Some(id) => {
                rows::get(reader, id)?.map(|task| rows::Place { position: task.position, id })
            }
        };
        rows::children(reader, parent, after, limit)
    };
    let mut tasks = cx.store().read(read).await?;
    let full = tasks.len() == limit as usize;
    let next_cursor = tasks.last().filter(|_| full).map(|task| task.id.to_string());
    tasks.retain(|task| status.is_none_or(|wanted| task.status == wanted));
    Ok(ListResult { tasks, next_cursor })
}

/// `task.tree`.
///
/// # Errors
/// `task_not_found`.
pub async fn tree(cx: Orchestrator, params: TaskParams) -> Result<TreeResult, Error> {
    Ok(TreeResult { tasks: subtree(&cx, params.task_id).await? })
}

/// `task.update`.
///
/// # Errors
/// `task_not_found`, `conflict` while a run is at it.
pub async fn update(cx: Orchestrator, params: UpdateParams) -> Result<Task, Error> {
    if params.title.as_ref().is_some_and(|title| title.trim().is_empty()) {
        return Err(Error::EmptyField { field: "title" });
    }
    let mut task = fetch(&cx, params.task_id).await?;
    if params.spec.is_some() {
        free(&cx, &[task.clone()]).await?;
    }
    task.title = params.title.unwrap_or(task.title);
    task.description = params.description.unwrap_or(task.description);
    task.mode = params.mode.unwrap_or(task.mode);
    task.spec = params.spec.unwrap_or(task.spec);
    task.metadata = params.metadata.unwrap_or(task.metadata);
    task.updated_at = cx.clock().now();
    write(&cx, task).await
}

/// `task.move`.
///
/// # Errors
/// `task_not_found`, `conflict` when the new parent is below the task itself.
pub async fn move_to(cx: Orchestrator, params: MoveParams) -> Result<Task, Error> {
    let (id, parent, at) = (params.task_id, params.parent_id, cx.clock().now());
    let change = move |tx: &mut Tx<'_>| {
        let end = rows::next_position(tx, parent)?;
        rows::move_to(tx, id, parent, params.position.unwrap_or(end), at)?;
        let task = rows::get(tx, id)?;
        if let Some(task) = &task {
            events::append(tx, at, [event(tx, EventType::TaskMoved, task)?])?;
        }
        Ok(task)
    };
    cx.store().write(change).await?.ok_or(Error::NoTask(id))
}

/// `task.delete`.
///
/// # Errors
/// `task_not_found`, `conflict` while a run is at any of it.
pub async fn delete(cx: Orchestrator, params: TaskParams) -> Result<DeleteResult, Error> {
    let tasks = subtree(&cx, params.task_id).await?;
    free(&cx, &tasks).await?;
    let (id, at) = (params.task_id, cx.clock().now());
    let change = move |tx: &mut Tx<'_>| {
        let event = event(tx, EventType::TaskDeleted, &tasks[0])?;
        let deleted = rows::delete(tx, id)?.len();
        events::append(tx, at, [event])?;
        Ok(deleted)
    };
    let deleted = cx.store().write(change).await?;
    Ok(DeleteResult { deleted: deleted as u64 })
}

/// `task.start`: a run of the task as it stands in the tree.
///
/// # Errors
/// What stands in the way, before anything is made.
pub async fn start(cx: Orchestrator, params: StartParams) -> Result<StartResult, Error> {
    let tasks = subtree(&cx, params.task_id).await?;
    free(&cx, &tasks).await?;
    let (plan, nodes) = plan::of_tree(&cx, &tasks, &params.dir).await?;
    let root = tasks.into_iter().next().ok_or(Error::NoTask(params.task_id))?;
    let begun = runs::begin_of_task(&cx, root, plan, nodes, &params.dir, params.choices).await?;
    Ok(StartResult { run_id: begun.run_id })
}

/// `task.complete`: a person's word that it is done.
///
/// # Errors
/// `task_not_found`, `conflict` while a run is at it.
pub async fn complete(cx: Orchestrator, params: TaskParams) -> Result<Task, Error> {
    let mut task = fetch(&cx, params.task_id).await?;
    free(&cx, &[task.clone()]).await?;
    task.status = TaskStatus::Completed;
    task.updated_at = cx.clock().now();
    write(&cx, task).await
}

/// `task.cancel`: the run that is at it is cancelled, and what is not done below it, too.
///
/// # Errors
/// `task_not_found`.
pub async fn cancel(cx: Orchestrator, params: TaskParams) -> Result<Task, Error> {
    let tasks = subtree(&cx, params.task_id).await?;
    if let Some(run) = run_at(&cx, &tasks).await? {
        runs::tell(&cx, run, Command::Cancel { reason: "its task was cancelled".to_owned() })
            .await?;
    }
    let at = cx.clock().now();
    let change = move |tx: &mut Tx<'_>| {
        for task in tasks.iter().filter(|task| !task.status.is_final()) {
            rows::set_status(tx, task.id, TaskStatus::Cancelled, at)?;
            let cancelled = Task { status: TaskStatus::Cancelled, updated_at: at, ..task.clone() };
            events::append(tx, at, [event(tx, EventType::TaskUpdated, &cancelled)?])?;
        }
        Ok(())
    };
    cx.store().write(change).await?;
    fetch(&cx, params.task_id).await
}

async fn fetch(cx: &Orchestrator, id: TaskId) -> Result<Task, Error> {
    cx.store().read(move |reader| rows::get(reader, id)).await?.ok_or(Error::NoTask(id))
}

async fn subtree(cx: &Orchestrator, id: TaskId) -> Result<Vec<Task>, Error> {
    let tasks = cx.store().read(move |reader| rows::subtree(reader, id)).await?;
    if tasks.is_empty() { Err(Error::NoTask(id)) } else { Ok(tasks) }
}

async fn write(cx: &Orchestrator, task: Task) -> Result<Task, Error> {
    let change = move |tx: &mut Tx<'_>| {
        rows::update(tx, &task)?;
        events::append(tx, task.updated_at, [event(tx, EventType::TaskUpdated, &task)?])?;
        Ok(task)
    };
    Ok(cx.store().write(change).await?)
}

/// Refuses when a run that is not finished is at any of the tasks.
async fn free(cx: &Orchestrator, tasks: &[Task]) -> Result<(), Error> {
    match run_at(cx, tasks).await? {
        Some(run) => Err(Error::Busy(tasks[0].id, run)),
        None => Ok(()),
    }
}

async fn run_at(cx: &Orchestrator, tasks: &[Task]) -> Result<Option<RunId>, Error> {
    let ids: Vec<TaskId> = tasks.iter().map(|task| task.id).collect();
    let read = move |reader: &Reader<'_>| {
        for run in run_rows::unfinished(reader)? {
            if ids.contains(&run.task_id)
                || run.leaves.iter().any(|leaf| ids.contains(&leaf.task_id))
            {
                return Ok(Some(run.run_id));
            }
        }
        Ok(None)
    };
    Ok(cx.store().read(read).await?)
}

/// An event about a task, found by filters on any task above it.
fn event(
    reader: &Reader<'_>,
    kind: EventType,
    task: &Task,
) -> Result<NewEvent, orchflow_store::Error> {
    let within = match task.parent_id {
        None => Vec::new(),
        Some(parent) => std::iter::once(parent)
            .chain(rows::ancestors(reader, parent)?)
            .map(|id| id.to_string())
            .collect(),
    };
    let data = json!({ "status": task.status, "title": task.title, "parent_id": task.parent_id });
    Ok(NewEvent { kind, about: task.id.to_string(), within, data })
}
