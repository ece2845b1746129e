//! A task tree as a plan: its unfinished leaves, grouped and ordered as the tree has them.

use std::collections::{HashMap, HashSet};

use orchflow_agent::router;
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::project::Project;
use orchflow_types::task::{Task, TaskStatus};
use orchflow_types::{AgentType, TaskId};
use orchflow_workflow::NodeSpec;

use crate::{Error, Orchestrator, perform};

/// The words of a task are routed when nothing is said of how to do it; below this
/// confidence it is work for a coding agent.
const SURE: f64 = 0.6;

/// The plan and nodes of a tree; `tasks` is the root first, parents before children.
///
/// A root without children that says nothing of how to do it is planned as words are.
pub(super) fn of_tree(
    cx: &Orchestrator,
    tasks: &[Task],
    project: &Project,
) -> Result<(Plan, Vec<NodeSpec>), Error> {
    let root = &tasks[0];
    let bare = root.spec.command.is_empty() && root.spec.agent_type.is_none();
    if tasks.len() == 1 && bare {
        let plan = perform::by_rules(&words(root), project)?;
        let nodes = perform::nodes(cx, &plan);
        return Ok((plan, nodes));
    }
    let nodes = nodes(cx, tasks, project);
    if nodes.is_empty() {
        return Err(Error::NothingToDo {
            reason: format!("every task of `{}` is done already", root.title),
        });
    }
    let groups: HashSet<TaskId> = nodes.iter().filter_map(|node| node.parent).collect();
    let leaves =
        nodes.iter().filter(|node| !groups.contains(&node.task_id)).map(|node| node.plan.clone());
    Ok((Plan::new(root.title.clone(), leaves.collect()), nodes))
}

fn nodes(cx: &Orchestrator, tasks: &[Task], project: &Project) -> Vec<NodeSpec> {
    let root = tasks[0].id;
    let parents: HashSet<TaskId> = tasks.iter().filter_map(|task| task.parent_id).collect();
    let open = |task: &&Task| !matches!(task.status, TaskStatus::Completed);
    let mut keys = Keys::default();
    let open: Vec<&Task> = tasks.iter().filter(open).collect();
    let here: HashMap<TaskId, String> =
        open.iter().map(|task| (task.id, keys.of(&task.title))).collect();
    let node = |task: &&Task| {
        // A lone task with a command hangs below itself as a leaf with an id of its own.
        let (task_id, parent) = if task.id == root {
            (cx.mint(), None)
        } else {
            (task.id, task.parent_id.filter(|parent| *parent != root))
        };
        let depends = task
            .spec
            .depends
            .iter()
            .copied()
            .filter(|id| here.contains_key(id) && *id != root)
            .collect();
        let plan = plan_task(task, here[&task.id].clone(), &here, project);
        NodeSpec { task_id, parent, plan, depends }
    };
    open.iter().filter(|task| task.id != root || !parents.contains(&root)).map(node).collect()
}

fn plan_task(
    task: &Task,
    key: String,
    keys: &HashMap<TaskId, String>,
    project: &Project,
) -> PlanTask {
    let (agent_type, command, reason) = how(task, project);
    let looks = matches!(agent_type, AgentType::Test | AgentType::Build | AgentType::Lint);
    PlanTask {
        key,
        title: task.title.clone(),
        description: task.description.clone(),
        agent_type,
        agent: task.spec.agent.clone(),
        writes: task.spec.agent.is_some() || !looks,
        command,
        dir: String::new(),
        files: task.spec.files.clone(),
        depends: task.spec.depends.iter().filter_map(|id| keys.get(id).cloned()).collect(),
        reason,
    }
}

/// How a task is to be done: as it says itself, else as its words are understood.
fn how(task: &Task, project: &Project) -> (AgentType, Vec<String>, String) {
    if !task.spec.command.is_empty() {
        let kind = task.spec.agent_type.unwrap_or(AgentType::Repl);
        return (kind, task.spec.command.clone(), "the task names its command".to_owned());
    }
    let (kind, reason) = match task.spec.agent_type {
        Some(kind) => (kind, "the task names its type".to_owned()),
        None if task.spec.agent.is_some() => {
            (AgentType::Dev, "the task names its agent".to_owned())
        }
        None => {
            let routed = router::route(&words(task), Some(project));
            let sure = routed.confidence >= SURE;
            (if sure { routed.agent_type } else { AgentType::Dev }, routed.reason)
        }
    };
    let command = project
        .commands
        .iter()
        .find(|one| one.purpose == kind && one.available && one.dir.is_empty());
    match command {
        Some(command) if kind != AgentType::Dev => {
            (kind, command.argv.clone(), format!("{reason}; {}", command.reason))
        }
        _ => (AgentType::Dev, Vec::new(), reason),
    }
}

fn words(task: &Task) -> String {
    if task.description.is_empty() {
        task.title.clone()
    } else {
        format!("{}\n{}", task.title, task.description)
    }
}

/// Keys of a plan: lower-case words with hyphens, each once.
#[derive(Default)]
struct Keys(HashSet<String>);

impl Keys {
    fn of(&mut self, title: &str) -> String {
        let lower = title.to_lowercase();
        let words: Vec<&str> = lower
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(5)
            .collect();
        let stem = if words.is_empty() { "task".to_owned() } else { words.join("-") };
        let mut key = stem.clone();
        let mut count = 1;
        while !self.0.insert(key.clone()) {
            count += 1;
            key = format!("{stem}-{count}");
        }
        key
    }
}
