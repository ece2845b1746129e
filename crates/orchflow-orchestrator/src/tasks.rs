//! `task.*`: the task tree.

mod import;
mod plan;

use std::collections::HashSet;

use orchflow_protocol::task::{
    CreateParams, DeleteResult, ListParams, ListResult, MoveParams, StartParams, StartResult,
    TaskParams, TreeResult, UpdateParams,
};
use orchflow_store::{Reader, Tx, events, runs as run_rows, tasks as rows};
use orchflow_types::event::NewEvent;
use orchflow_types::task::{Task, TaskStatus};
use orchflow_types::{EventType, RunId, TaskId, Timestamp};
use orchflow_workflow::{Command, Refused};
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
    let needs_it_free = params.spec.is_some();
    change(&cx, params.task_id, needs_it_free, move |task| {
        task.title = params.title.unwrap_or(std::mem::take(&mut task.title));
        task.description = params.description.unwrap_or(std::mem::take(&mut task.description));
        task.mode = params.mode.unwrap_or(task.mode);
        task.spec = params.spec.unwrap_or(std::mem::take(&mut task.spec));
        task.metadata = params.metadata.unwrap_or(std::mem::take(&mut task.metadata));
    })
    .await
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
    let (id, at) = (params.task_id, cx.clock().now());
    let change = move |tx: &mut Tx<'_>| {
        let tasks = match free(tx, id)? {
            Ok(tasks) => tasks,
            Err(refused) => return Ok(Err(refused)),
        };
        let event = event(tx, EventType::TaskDeleted, &tasks[0])?;
        let deleted = rows::delete(tx, id)?.len();
        events::append(tx, at, [event])?;
        Ok(Ok(deleted))
    };
    let deleted = cx.store().write(change).await??;
    Ok(DeleteResult { deleted: deleted as u64 })
}

/// `task.start`: a run of the task as it stands in the tree.
///
/// # Errors
/// What stands in the way, before anything is made.
pub async fn start(cx: Orchestrator, params: StartParams) -> Result<StartResult, Error> {
    // A look ahead, for an answer before anything is looked at; what counts is asked again
    // in the transaction that makes the run.
    let id = params.task_id;
    let tasks = cx.store().read(move |reader| free(reader, id)).await??;
    let ground = runs::ground(&cx, &params.dir).await?;
    let planned = plan::of_tree(&cx, &tasks, &ground.project)?;
    let begun = runs::begin_of_task(&cx, tasks, planned, ground, params.choices).await?;
    Ok(StartResult { run_id: begun.run_id })
}

/// `task.complete`: a person's word that it is done.
///
/// # Errors
/// `task_not_found`, `conflict` while a run is at it.
pub async fn complete(cx: Orchestrator, params: TaskParams) -> Result<Task, Error> {
    change(&cx, params.task_id, true, |task| task.status = TaskStatus::Completed).await
}

/// `task.cancel`: the run that is at it is cancelled, and what is not done below it, too.
///
/// # Errors
/// `task_not_found`.
pub async fn cancel(cx: Orchestrator, params: TaskParams) -> Result<Task, Error> {
    let id = params.task_id;
    let mut told = None;
    loop {
        let at = cx.clock().now();
        // A run that began since the last look is told as well, before anything is written.
        let found = cx.store().write(move |tx| cancel_in(tx, id, told, at)).await??;
        let Some(run) = found else { return fetch(&cx, id).await };
        told = Some(run);
        let reason = "its task was cancelled".to_owned();
        match runs::tell(&cx, run, Command::Cancel { reason }).await {
            Ok(_) | Err(Error::Refused(Refused::Finished { .. })) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Cancels what is not done of a tree; answers the run that is at it and has to be told
/// first, if there is one other than `told`.
fn cancel_in(
    tx: &mut Tx<'_>,
    id: TaskId,
    told: Option<RunId>,
    at: Timestamp,
) -> Result<Result<Option<RunId>, Error>, orchflow_store::Error> {
    let tasks = rows::subtree(tx, id)?;
    if tasks.is_empty() {
        return Ok(Err(Error::NoTask(id)));
    }
    if let Some(run) = run_at(tx, &tasks)?.filter(|run| Some(*run) != told) {
        return Ok(Ok(Some(run)));
    }
    for task in tasks.iter().filter(|task| !task.status.is_final()) {
        rows::set_status(tx, task.id, TaskStatus::Cancelled, at)?;
        let cancelled = Task { status: TaskStatus::Cancelled, updated_at: at, ..task.clone() };
        events::append(tx, at, [event(tx, EventType::TaskUpdated, &cancelled)?])?;
    }
    Ok(Ok(None))
}

async fn fetch(cx: &Orchestrator, id: TaskId) -> Result<Task, Error> {
    cx.store().read(move |reader| rows::get(reader, id)).await?.ok_or(Error::NoTask(id))
}

async fn subtree(cx: &Orchestrator, id: TaskId) -> Result<Vec<Task>, Error> {
    let tasks = cx.store().read(move |reader| rows::subtree(reader, id)).await?;
    if tasks.is_empty() { Err(Error::NoTask(id)) } else { Ok(tasks) }
}

/// Changes a task as it then stands; with `needs_it_free` only while no run is at it.
async fn change(
    cx: &Orchestrator,
    id: TaskId,
    needs_it_free: bool,
    change: impl FnOnce(&mut Task) + Send + 'static,
) -> Result<Task, Error> {
    let at = cx.clock().now();
    let write = move |tx: &mut Tx<'_>| {
        let Some(mut task) = rows::get(tx, id)? else { return Ok(Err(Error::NoTask(id))) };
        if needs_it_free && let Some(run) = run_at(tx, std::slice::from_ref(&task))? {
            return Ok(Err(Error::Busy(id, run)));
        }
        change(&mut task);
        task.updated_at = at;
        rows::update(tx, &task)?;
        events::append(tx, at, [event(tx, EventType::TaskUpdated, &task)?])?;
        Ok(Ok(task))
    };
    cx.store().write(write).await?
}

/// A task and all below it; refused when a run that is not finished is at any of it.
fn free(
    reader: &Reader<'_>,
    id: TaskId,
) -> Result<Result<Vec<Task>, Error>, orchflow_store::Error> {
    let tasks = rows::subtree(reader, id)?;
    Ok(if tasks.is_empty() {
        Err(Error::NoTask(id))
    } else {
        match run_at(reader, &tasks)? {
            Some(run) => Err(Error::Busy(id, run)),
            None => Ok(tasks),
        }
    })
}

/// The run that is not finished and is at any of the tasks.
pub(crate) fn run_at(
    reader: &Reader<'_>,
    tasks: &[Task],
) -> Result<Option<RunId>, orchflow_store::Error> {
    let ids: HashSet<TaskId> = tasks.iter().map(|task| task.id).collect();
    let run = run_rows::unfinished(reader)?.into_iter().find(|run| {
        ids.contains(&run.task_id) || run.leaves.iter().any(|leaf| ids.contains(&leaf.task_id))
    });
    Ok(run.map(|run| run.run_id))
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
