//! Trees of tasks in and out, in one shape.

use std::collections::HashMap;

use orchflow_protocol::task::{ImportParams, ImportResult, Node, TaskParams};
use orchflow_store::{Tx, events, tasks as rows};
use orchflow_types::task::{Task, TaskSpec, TaskStatus};
use orchflow_types::{EventType, TaskId, Timestamp};

use super::{event, subtree};
use crate::{Error, Orchestrator};

/// The deepest tree that is taken: deeper ones are a mistake or an attack.
const DEPTH_MAX: usize = 100;

/// `task.import`: the whole tree or nothing.
///
/// # Errors
/// `invalid_params` naming the task: an empty title, a dependency that is not in the tree
/// or could be several tasks, a tree too deep.
pub async fn import(cx: Orchestrator, params: ImportParams) -> Result<ImportResult, Error> {
    let at = cx.clock().now();
    let mut gathered =
        Gathered { cx: &cx, at, tasks: Vec::new(), wants: Vec::new(), names: HashMap::new() };
    gathered.gather(params.tree, params.parent_id, 0, 0)?;
    let mut tasks = gathered.settle()?;
    let (task_id, created) = (tasks[0].id, tasks.len() as u64);
    let write = move |tx: &mut Tx<'_>| {
        tasks[0].position = rows::next_position(tx, tasks[0].parent_id)?;
        for task in &tasks {
            rows::insert(tx, task, None)?;
        }
        let told = event(tx, EventType::TaskCreated, &tasks[0])?;
        events::append(tx, at, [told])?;
        Ok(())
    };
    cx.store().write(write).await?;
    Ok(ImportResult { task_id, created })
}

struct Gathered<'c> {
    cx: &'c Orchestrator,
    at: Timestamp,
    /// Parents before children.
    tasks: Vec<Task>,
    /// What each task of the same place depends on, as written.
    wants: Vec<Vec<String>>,
    /// Titles and exported ids; none where a title stands more than once.
    names: HashMap<String, Option<TaskId>>,
}

impl Gathered<'_> {
    fn gather(
        &mut self,
        node: Node,
        parent: Option<TaskId>,
        position: usize,
        depth: usize,
    ) -> Result<(), Error> {
        if node.title.trim().is_empty() {
            return Err(Error::BadTree { reason: format!("a task at depth {depth} has no title") });
        }
        if depth > DEPTH_MAX {
            return Err(Error::BadTree {
                reason: format!("`{}` is deeper than {DEPTH_MAX} levels", node.title),
            });
        }
        let id: TaskId = self.cx.mint();
        let named = self.names.entry(node.title.clone());
        named.and_modify(|same| *same = None).or_insert(Some(id));
        if let Some(exported) = node.id {
            self.names.insert(exported.to_string(), Some(id));
        }
        self.wants.push(node.depends);
        self.tasks.push(Task {
            id,
            parent_id: parent,
            title: node.title,
            description: node.description,
            status: TaskStatus::Pending,
            mode: node.mode,
            spec: TaskSpec {
                agent_type: node.agent_type,
                agent: node.agent,
                command: node.command,
                files: node.files,
                depends: Vec::new(),
            },
            position: u32::try_from(position).unwrap_or(u32::MAX),
            created_at: self.at,
            updated_at: self.at,
            metadata: node.metadata,
        });
        for (place, child) in node.children.into_iter().enumerate() {
            self.gather(child, Some(id), place, depth + 1)?;
        }
        Ok(())
    }

    /// Turns names into ids.
    fn settle(mut self) -> Result<Vec<Task>, Error> {
        for (task, wants) in self.tasks.iter_mut().zip(self.wants) {
            for name in wants {
                let reason = match self.names.get(&name) {
                    Some(Some(id)) if *id != task.id => {
                        task.spec.depends.push(*id);
                        continue;
                    }
                    Some(Some(_)) => format!("`{}` depends on itself", task.title),
                    Some(None) => format!(
                        "`{}` depends on `{name}`, and several tasks are called that",
                        task.title
                    ),
                    None => format!(
                        "`{}` depends on `{name}`, and no task of the tree is called that",
                        task.title
                    ),
                };
                return Err(Error::BadTree { reason });
            }
        }
        Ok(self.tasks)
    }
}

/// `task.export`.
///
/// # Errors
/// `task_not_found`.
pub async fn export(cx: Orchestrator, params: TaskParams) -> Result<Node, Error> {
    let tasks = subtree(&cx, params.task_id).await?;
    let mut below: HashMap<TaskId, Vec<Node>> = HashMap::new();
    // Children come after their parents, so that from the end every node finds its own complete.
    for task in tasks.into_iter().rev() {
        let (id, parent) = (task.id, task.parent_id);
        let mut children = below.remove(&id).unwrap_or_default();
        children.reverse();
        let node = node(task, children);
        match parent {
            Some(parent) if id != params.task_id => below.entry(parent).or_default().push(node),
            _ => return Ok(node),
        }
    }
    Err(Error::NoTask(params.task_id))
}

fn node(task: Task, children: Vec<Node>) -> Node {
    Node {
        id: Some(task.id),
        title: task.title,
        description: task.description,
        mode: task.mode,
        status: Some(task.status),
        agent_type: task.spec.agent_type,
        agent: task.spec.agent,
        command: task.spec.command,
        files: task.spec.files,
        depends: task.spec.depends.iter().map(ToString::to_string).collect(),
        metadata: task.metadata,
        children,
    }
}
