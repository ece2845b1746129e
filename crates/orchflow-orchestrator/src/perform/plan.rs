//! Plans: made by rules, turned into nodes of the task tree, put before a person.

use std::collections::{BTreeMap, HashMap};

use orchflow_agent::planner;
use orchflow_protocol::{git, project};
use orchflow_types::attention::AttentionKind;
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::project::Project;
use orchflow_types::run::Gate;
use orchflow_types::{AgentType, ErrorKind, Explain, TaskId};
use orchflow_workflow::{Command, NodeSpec};

use super::{Job, Planned};
use crate::attention::Question;
use crate::{Error, Orchestrator, attention};

/// What a goal comes to in a project.
pub(crate) struct Proposal {
    pub(crate) plan: Plan,
    pub(crate) project: Project,
}

/// Makes the plan of a goal by rules; starts nothing.
pub(crate) async fn propose(cx: &Orchestrator, goal: &str, dir: &str) -> Result<Proposal, Error> {
    let params = project::DetectParams { dir: dir.to_owned() };
    let project = cx.client().call::<project::Detect>(params).await?;
    let planned = planner::plan(goal, &project)
        .map_err(|nothing| Error::NothingToDo { reason: nothing.to_string() })?;
    Ok(Proposal { plan: planned.plan, project })
}

/// The checks every leaf that writes has to pass: the project's own build, lint and tests
/// that can be run here, best of each, in that order.
pub(crate) fn gates(project: &Project) -> Vec<Gate> {
    let purposes =
        [(AgentType::Build, "build"), (AgentType::Lint, "lint"), (AgentType::Test, "test")];
    let mut gates = Vec::new();
    for (purpose, name) in purposes {
        let mut dirs = Vec::new();
        for command in project.commands.iter().filter(|one| one.purpose == purpose && one.available)
        {
            if dirs.contains(&(&command.dir, command.argv.first())) {
                continue;
            }
            dirs.push((&command.dir, command.argv.first()));
            let name = if command.dir.is_empty() {
                name.to_owned()
            } else {
                format!("{name} {}", command.dir)
            };
            let (argv, dir, framework) =
                (command.argv.clone(), command.dir.clone(), command.framework.clone());
            gates.push(Gate { name, argv, dir, framework });
        }
    }
    gates
}

/// The nodes of a plan, with fresh ids.
pub(crate) fn nodes(cx: &Orchestrator, plan: &Plan) -> Vec<NodeSpec> {
    let ids: HashMap<&str, TaskId> =
        plan.tasks.iter().map(|task| (task.key.as_str(), cx.mint())).collect();
    let node = |task: &PlanTask| NodeSpec {
        task_id: ids[task.key.as_str()],
        parent: None,
        plan: task.clone(),
        depends: task.depends.iter().filter_map(|key| ids.get(key.as_str()).copied()).collect(),
    };
    plan.tasks.iter().map(node).collect()
}

/// [`orchflow_workflow::Step::Plan`], for runs whose plan was not yet told when a crash came.
pub(super) async fn make(job: &Job) -> Result<Command, Error> {
    match propose(&job.orchestrator, &job.run.goal, &job.run.project).await {
        Ok(proposal) => {
            let (plan, nodes): Planned =
                (proposal.plan.clone(), nodes(&job.orchestrator, &proposal.plan));
            Ok(Command::Planned { plan, nodes })
        }
        Err(error) => {
            let told = orchflow_protocol::Error::explain(&error);
            Ok(Command::PlanFailed { kind: told.kind(), reason: told.message })
        }
    }
}

/// [`orchflow_workflow::Step::AskApproval`]: raises the question and waits for its answer.
pub(super) async fn ask_approval(job: &Job) -> Result<Option<Command>, Error> {
    let plan = job.run.plan.as_ref();
    let titles: Vec<&str> = plan
        .map(|plan| plan.tasks.iter().map(|task| task.title.as_str()).collect())
        .unwrap_or_default();
    let question = Question {
        kind: AttentionKind::Plan,
        run_id: Some(job.run_id()),
        task_id: None,
        text: format!(
            "Carry out this plan of {} for \"{}\"? {}",
            count(titles.len()),
            job.run.goal,
            titles.join("; ")
        ),
        options: vec!["approve".to_owned(), "reject".to_owned()],
    };
    match attention::ask(&job.orchestrator, question, &job.cancel).await?.as_deref() {
        Some("approve") => Ok(Some(Command::Approve { plan: None })),
        Some(_) => Ok(Some(Command::Reject { reason: "a person rejected the plan".to_owned() })),
        None => Ok(None),
    }
}

fn count(tasks: usize) -> String {
    if tasks == 1 { "one task".to_owned() } else { format!("{tasks} tasks") }
}

/// What stands in the way of carrying a plan out here, a sentence each.
pub(crate) async fn obstacles(cx: &Orchestrator, plan: &Plan, dir: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !plan.only_looks() {
        if let Err(error) =
            cx.client().call::<git::Status>(git::DirParams { dir: dir.to_owned() }).await
        {
            found.push(error.message);
        }
        match crate::agents::executors(cx, plan, dir, &BTreeMap::new()).await {
            Err(error) if error.kind() == ErrorKind::NoAgent => found.push(error.to_string()),
            _ => {}
        }
    }
    found
}
