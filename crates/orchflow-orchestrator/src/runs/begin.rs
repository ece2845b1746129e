//! The beginning of a run: everything that could stand in its way is looked at before
//! anything is made.

use std::collections::{BTreeMap, HashMap};

use orchflow_protocol::git;
use orchflow_protocol::run::{Choices, StartParams, StartResult};
use orchflow_store::{Reader, Tx, tasks as rows};
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::project::Project;
use orchflow_types::run::{Run, RunOptions};
use orchflow_types::task::{Task, TaskMode, TaskSpec, TaskStatus};
use orchflow_types::{ErrorKind, Role, RunId, TaskId, Timestamp};
use orchflow_workflow::{Command, NodeSpec, Spec};

use super::actor::Actor;
use super::record::Record;
use crate::{Error, Orchestrator, agent_settings, agents, perform, tasks};

/// A run of plain words.
pub(super) async fn of_goal(cx: &Orchestrator, params: StartParams) -> Result<StartResult, Error> {
    let goal = said(&params.goal, "goal")?.to_owned();
    let ground = ground(cx, &params.dir).await?;
    let plan = match params.plan {
        Some(plan) => Some(plan),
        None => by_rules(cx, &goal, &ground, &params.choices.roles).await?,
    };
    let planned = plan.map(|plan| {
        let nodes = perform::nodes(cx, &plan);
        (plan, nodes)
    });
    let root = new_root(cx, &goal);
    begin(cx, Beginning { goal, ground, planned, root, tree: Vec::new(), choices: params.choices })
        .await
}

/// The rules' plan of a goal; none when it is for an architect to make a better one, and
/// all is there that the plan may need.
async fn by_rules(
    cx: &Orchestrator,
    goal: &str,
    ground: &Ground,
    chosen: &BTreeMap<Role, Vec<String>>,
) -> Result<Option<Plan>, Error> {
    let plan = perform::by_rules(goal, &ground.project);
    if plan.as_ref().is_ok_and(perform::is_for_rules) {
        return plan.map(Some);
    }
    let asks = agents::architects(cx, &ground.root, chosen).await?;
    if asks.is_empty() {
        return plan.map(Some);
    }
    ground.repository.as_ref().map_err(Clone::clone)?;
    if let Ok(plan) = &plan {
        agents::executors(cx, plan, &ground.root, chosen).await?;
    }
    Ok(None)
}

/// A run of a task as it stands in the tree: `tasks` is the root first, parents before
/// children, and the run begins only if the tree is still that when it is written.
pub(crate) async fn of_task(
    cx: &Orchestrator,
    tasks: Vec<Task>,
    (plan, nodes): (Plan, Vec<NodeSpec>),
    ground: Ground,
    choices: Choices,
) -> Result<StartResult, Error> {
    let root = tasks[0].clone();
    let (goal, planned) = (root.title.clone(), Some((plan, nodes)));
    begin(cx, Beginning { goal, ground, planned, root, tree: tasks, choices }).await
}

struct Beginning {
    goal: String,
    ground: Ground,
    /// The plan and its nodes; none when an architect is to make it.
    planned: Option<(Plan, Vec<NodeSpec>)>,
    root: Task,
    /// The tree the plan was made from; empty when the root is made with the run.
    tree: Vec<Task>,
    choices: Choices,
}

/// Where a run happens: a folder, what was found in it, and the repository it is in, if it is
/// in one. Looked at once for each beginning.
pub(crate) struct Ground {
    root: String,
    pub(crate) project: Project,
    repository: Result<git::StatusResult, orchflow_protocol::Error>,
}

pub(crate) async fn ground(cx: &Orchestrator, dir: &str) -> Result<Ground, Error> {
    let repository = cx.client().call::<git::Status>(git::DirParams { dir: dir.to_owned() }).await;
    if let Err(error) = &repository
        && error.kind() == ErrorKind::File
    {
        return Err(error.clone().into());
    }
    let root = repository.as_ref().map_or_else(|_| dir.to_owned(), |status| status.root.clone());
    let project = perform::detect(cx, &root).await?;
    Ok(Ground { root, project, repository })
}

async fn begin(cx: &Orchestrator, mut begun: Beginning) -> Result<StartResult, Error> {
    let (root, roles) = (&begun.ground.root, &begun.choices.roles);
    let settings = cx.settings(root).await?;
    let chains = match &begun.planned {
        Some((plan, _)) => {
            perform::confined(plan)?;
            agents::executors(cx, plan, root, roles).await?
        }
        None => agents::chains(cx, root, &settings.run.chains, roles).await?,
    };
    let options = RunOptions {
        agents: agents::starts(cx, root).await?,
        ..options(settings.run, &begun.choices, chains)?
    };
    if agents_work(begun.planned.as_ref().map(|(plan, _)| plan), &options) {
        // Said here, before anything is made. Each turn looks again: the worktree of a run may
        // have other content than the checkout has now.
        agent_settings::are_trusted(cx, root, root).await?;
    }
    if let Some((plan, _)) = &mut begun.planned
        && !plan.only_looks()
    {
        let status = begun.ground.repository.as_ref().map_err(Clone::clone)?;
        if !options.from_working_tree {
            plan.notes.extend(perform::dirty_note(status));
        }
    }
    let spec = Spec {
        run_id: cx.mint(),
        root: begun.root.id,
        goal: begun.goal,
        project: begun.ground.root,
        options,
        gates: perform::gates(&begun.ground.project),
        epoch: 0,
    };
    create(cx, spec, begun.root, begun.tree, begun.planned).await
}

/// Whether an agent will have to start for a plan, or for a plan that is yet to be made: to
/// work, or to review what a command of the project changed.
fn agents_work(plan: Option<&Plan>, options: &RunOptions) -> bool {
    let Some(plan) = plan else { return true };
    let reviews = options.chains.get(&Role::Auditor).is_some_and(|chain| !chain.is_empty());
    plan.tasks
        .iter()
        .any(|task| task.command.is_empty() || task.agent.is_some() || task.writes && reviews)
}

/// Makes the run, with its plan in the same transaction when there is one: a plan that a
/// person or the task tree gave cannot be made again after a crash.
async fn create(
    cx: &Orchestrator,
    spec: Spec,
    root: Task,
    tree: Vec<Task>,
    planned: Option<(Plan, Vec<NodeSpec>)>,
) -> Result<StartResult, Error> {
    let at = cx.clock().now();
    let (run_id, task_id) = (spec.run_id, spec.root);
    let (mut state, mut effects) = orchflow_workflow::create(at, spec.clone());
    let created =
        Record::new(&state, at, 0, &Command::Create(spec), &effects).with_tasks(vec![root]);
    let mut records = vec![created];
    if let Some((plan, nodes)) = planned {
        let rows = task_rows(state.run(), &nodes, at);
        let command = Command::Planned { plan, nodes };
        effects = orchflow_workflow::apply(&mut state, at, command.clone())?;
        records.push(Record::new(&state, at, 1, &command, &effects).with_tasks(rows));
    }
    let next = records.len() as u64;
    let write = move |tx: &mut Tx<'_>| {
        if let Some(objection) = objection(tx, &tree)? {
            return Ok(Err(objection));
        }
        Record::write(records, tx)?;
        Ok(Ok(()))
    };
    cx.store().write(write).await??;
    Actor::new(cx.clone(), (state, next)).start(effects.actions, None);
    Ok(StartResult { run_id, task_id })
}

/// What keeps a run of a task tree from beginning now, whatever was seen before.
fn objection(reader: &Reader<'_>, tree: &[Task]) -> Result<Option<Error>, orchflow_store::Error> {
    let Some(root) = tree.first() else { return Ok(None) };
    let now = rows::subtree(reader, root.id)?;
    Ok(if now.is_empty() {
        Some(Error::NoTask(root.id))
    } else if let Some(run) = tasks::run_at(reader, &now)? {
        Some(Error::Busy(root.id, run))
    } else {
        (now != tree).then_some(Error::Changed(root.id))
    })
}

fn options(
    configured: RunOptions,
    choices: &Choices,
    chains: BTreeMap<Role, Vec<String>>,
) -> Result<RunOptions, Error> {
    let chosen = RunOptions {
        mode: choices.mode.unwrap_or(configured.mode),
        max_concurrency: choices.max_concurrency.unwrap_or(configured.max_concurrency),
        max_iterations: choices.max_iterations.unwrap_or(configured.max_iterations),
        auto_approve: choices.auto_approve.unwrap_or(configured.auto_approve),
        commit: choices.commit.unwrap_or(configured.commit),
        from_working_tree: choices.from_working_tree.unwrap_or(configured.from_working_tree),
        minutes: choices.minutes.unwrap_or(configured.minutes),
        chains,
        ..configured
    };
    if chosen.max_concurrency == 0 {
        return Err(Error::Params { reason: "max_concurrency is at least 1".to_owned() });
    }
    Ok(chosen)
}

/// The plan a person edited, with the ids its tasks had before where their keys are the same.
pub(super) async fn edited(
    cx: &Orchestrator,
    run_id: RunId,
    plan: Plan,
) -> Result<(Plan, Vec<NodeSpec>), Error> {
    let run = super::fetch(cx, run_id).await?;
    perform::confined(&plan)?;
    agents::executors(cx, &plan, &run.project, &run.options.chains).await?;
    let had: HashMap<&str, TaskId> =
        run.leaves.iter().map(|leaf| (leaf.plan.key.as_str(), leaf.task_id)).collect();
    let mut nodes = perform::nodes(cx, &plan);
    let same: HashMap<TaskId, TaskId> = nodes
        .iter()
        .filter_map(|node| Some((node.task_id, *had.get(node.plan.key.as_str())?)))
        .collect();
    for node in &mut nodes {
        for id in std::iter::once(&mut node.task_id).chain(&mut node.depends) {
            *id = same.get(id).copied().unwrap_or(*id);
        }
    }
    Ok((plan, nodes))
}

/// The text without white space around it.
pub(super) fn said<'t>(text: &'t str, field: &'static str) -> Result<&'t str, Error> {
    let text = text.trim();
    if text.is_empty() { Err(Error::EmptyField { field }) } else { Ok(text) }
}

fn new_root(cx: &Orchestrator, goal: &str) -> Task {
    let at = cx.clock().now();
    let mut lines = goal.lines();
    let title = lines.next().unwrap_or(goal).to_owned();
    Task {
        id: cx.mint(),
        parent_id: None,
        title,
        description: lines.collect::<Vec<_>>().join("\n"),
        status: TaskStatus::Active,
        mode: TaskMode::default(),
        spec: TaskSpec::default(),
        position: 0,
        created_at: at,
        updated_at: at,
        metadata: serde_json::Map::new(),
    }
}

/// The rows of a plan's nodes in the task tree.
pub(super) fn task_rows(run: &Run, nodes: &[NodeSpec], at: Timestamp) -> Vec<Task> {
    let row = |(position, node): (usize, &NodeSpec)| Task {
        id: node.task_id,
        parent_id: Some(node.parent.unwrap_or(run.task_id)),
        title: node.plan.title.clone(),
        description: node.plan.description.clone(),
        status: TaskStatus::Pending,
        mode: TaskMode::default(),
        spec: spec(&node.plan, &node.depends),
        position: u32::try_from(position).unwrap_or(u32::MAX),
        created_at: at,
        updated_at: at,
        metadata: serde_json::Map::new(),
    };
    nodes.iter().enumerate().map(row).collect()
}

fn spec(plan: &PlanTask, depends: &[TaskId]) -> TaskSpec {
    TaskSpec {
        agent_type: Some(plan.agent_type),
        agent: plan.agent.clone(),
        command: plan.command.clone(),
        files: plan.files.clone(),
        depends: depends.to_vec(),
    }
}
