//! Plans: made by rules or by architects, turned into nodes of the task tree, put before a person.

use std::collections::{BTreeMap, HashMap};

use orchflow_agent::planner;
use orchflow_protocol::{git, project};
use orchflow_types::attention::AttentionKind;
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::project::Project;
use orchflow_types::run::Gate;
use orchflow_types::{AgentType, ErrorKind, Explain, TaskId};
use orchflow_workflow::{Command, NodeSpec};

use super::Job;
use super::architect::{self, Asked};
use crate::attention::Question;
use crate::{Error, Orchestrator, agent_settings, attention};

/// What a goal comes to in a project.
pub(crate) struct Proposal {
    pub(crate) plan: Plan,
    pub(crate) project: Project,
}

/// Makes the plan of a goal by rules; starts nothing.
pub(crate) async fn propose(cx: &Orchestrator, goal: &str, dir: &str) -> Result<Proposal, Error> {
    let project = detect(cx, dir).await?;
    Ok(Proposal { plan: by_rules(goal, &project)?, project })
}

/// What is found in a folder: its tools and their commands.
pub(crate) async fn detect(cx: &Orchestrator, dir: &str) -> Result<Project, Error> {
    let params = project::DetectParams { dir: dir.to_owned() };
    Ok(cx.client().call::<project::Detect>(params).await?)
}

/// What the rules make of a goal.
pub(crate) fn by_rules(goal: &str, project: &Project) -> Result<Plan, Error> {
    planner::plan(goal, project)
        .map(|planned| planned.plan)
        .map_err(|nothing| Error::NothingToDo { reason: nothing.reason })
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

/// Whether the rules are sure of their plan, so that no agent need be asked for a better
/// one: all of it is commands of the project.
pub(crate) fn is_for_rules(plan: &Plan) -> bool {
    plan.only_looks() || plan.tasks.iter().all(|task| !task.command.is_empty())
}

/// [`orchflow_workflow::Step::Plan`], for runs that begin without a plan.
pub(super) async fn make(job: &Job) -> Result<Command, Error> {
    let made = match settle(job).await {
        Ok(Some(plan)) => enough(job, plan).await,
        Ok(None) => {
            let reason = "the run was stopped before there was a plan".to_owned();
            return Ok(Command::PlanFailed { kind: ErrorKind::NoAgent, reason });
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(plan) => {
            let nodes = nodes(&job.orchestrator, &plan);
            Ok(Command::Planned { plan, nodes })
        }
        // As any step does, the planning waits until there is room.
        Err(error) if error.kind() == ErrorKind::StorageFull => Err(error),
        Err(error) => {
            let told = orchflow_protocol::Error::explain(&error);
            Ok(Command::PlanFailed { kind: told.kind(), reason: told.message })
        }
    }
}

/// The plan of the architects, or of the rules where they are sure or nobody else made one;
/// none when the run was stopped meanwhile.
async fn settle(job: &Job) -> Result<Option<Plan>, Error> {
    let (cx, goal) = (&job.orchestrator, &job.run.goal);
    let project = detect(cx, &job.run.project).await?;
    let rules = by_rules(goal, &project);
    if architect::architects(job).is_empty() || rules.as_ref().is_ok_and(is_for_rules) {
        return rules.map(Some);
    }
    let gave_up = match architect::ask(job, &project).await? {
        Asked::Plan(plan) => return Ok(Some(plan)),
        Asked::Stopped => return Ok(None),
        Asked::GaveUp(gave_up) => gave_up,
    };
    match rules {
        Ok(mut plan) => {
            plan.notes.extend(gave_up);
            plan.notes.push("planned by rules, since no architect made a plan".to_owned());
            Ok(Some(plan))
        }
        Err(_) => Err(Error::NoPlan { gave_up }),
    }
}

/// The plan, when there is somebody to carry it out, with the note on what is left out of it.
async fn enough(job: &Job, mut plan: Plan) -> Result<Plan, Error> {
    let (cx, run) = (&job.orchestrator, &job.run);
    crate::agents::executors(cx, &plan, &run.project, &run.options.chains).await?;
    if !plan.only_looks() && !run.options.from_working_tree {
        let params = git::DirParams { dir: run.project.clone() };
        let status = cx.client().call::<git::Status>(params).await?;
        plan.notes.extend(dirty_note(&status));
    }
    Ok(plan)
}

/// What to tell of changes that a run which starts from HEAD does not have.
pub(crate) fn dirty_note(status: &git::StatusResult) -> Option<String> {
    let paths: Vec<&str> = status.dirty.iter().take(3).map(|dirty| dirty.path.as_str()).collect();
    let more = status.dirty.len().saturating_sub(paths.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!paths.is_empty()).then(|| {
        format!(
            "uncommitted changes ({}{more}) are not part of this; --from-working-tree includes them",
            paths.join(", ")
        )
    })
}

/// [`orchflow_workflow::Step::AskApproval`]: raises the question and waits for its answer.
/// The run hears an answer before this does; only one that stood before a restart is told here.
pub(super) async fn ask_approval(job: &Job) -> Result<Option<Command>, Error> {
    let tasks = job.run.plan.as_ref().map_or(&[][..], |plan| &plan.tasks);
    let question = Question {
        kind: AttentionKind::Plan,
        run_id: Some(job.run_id()),
        task_id: None,
        text: asked(&job.run.goal, tasks, &job.gates),
        options: [attention::APPROVE, attention::REJECT].map(str::to_owned).to_vec(),
    };
    match attention::ask(&job.orchestrator, question, &job.cancel).await?.as_deref() {
        Some(attention::APPROVE) => Ok(Some(Command::Approve { plan: None })),
        Some(_) => Ok(Some(Command::Reject { reason: "a person rejected the plan".to_owned() })),
        None => Ok(None),
    }
}

/// The question, with every command that a yes lets run: who answers elsewhere sees no more of
/// the plan than this. As with permissions nothing is cut, and control characters are escaped.
fn asked(goal: &str, tasks: &[PlanTask], gates: &[Gate]) -> String {
    let mut text = format!("Carry out this plan of {} for {goal:?}?", count(tasks.len()));
    for task in tasks {
        text.push_str(&format!("\n- {:?}", task.title));
        match &task.agent {
            Some(agent) => text.push_str(&format!(": work for {agent:?}")),
            None if task.command.is_empty() => text.push_str(": work for an agent"),
            None => {}
        }
        if !task.command.is_empty() {
            text.push_str(&format!(": runs {:?}{}", task.command, within(&task.dir)));
        }
    }
    for gate in gates.iter().filter(|_| tasks.iter().any(|task| task.writes)) {
        text.push_str(&format!("\n- proven by {:?}{}", gate.argv, within(&gate.dir)));
    }
    text
}

fn within(dir: &str) -> String {
    if dir.is_empty() { String::new() } else { format!(" in {dir:?}") }
}

fn count(tasks: usize) -> String {
    if tasks == 1 { "one task".to_owned() } else { format!("{tasks} tasks") }
}

/// What stands in the way of carrying a plan out here, a sentence each.
pub(crate) async fn obstacles(cx: &Orchestrator, plan: &Plan, dir: &str) -> Vec<String> {
    let mut found = Vec::new();
    if plan.tasks.iter().any(|task| task.command.is_empty() || task.agent.is_some())
        && let Err(error @ Error::Untrusted { .. }) =
            agent_settings::are_trusted(cx, dir, dir).await
    {
        found.push(error.to_string());
    }
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

/// Whether whatever may change files is said to: what only looks works in the user's own
/// checkout and needs no approval, and nobody knows what an agent will do.
pub(crate) fn confined(plan: &Plan) -> Result<(), Error> {
    let agents_work = |task: &&PlanTask| task.agent.is_some() || task.command.is_empty();
    match plan.tasks.iter().filter(|task| !task.writes).find(agents_work) {
        None => Ok(()),
        Some(task) => Err(orchflow_workflow::Refused::BadPlan {
            reason: format!(
                "`{}` is work for an agent, which may change files: say `writes: yes`, or give \
                 it a command and no agent",
                task.key
            ),
        }
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_for_a_plan_shows_every_command_whole_and_escaped() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let tasks = [
            PlanTask::new("mend", "Mend it\n- nothing else"),
            PlanTask { agent: Some("claude".into()), ..PlanTask::new("more", "More") },
            PlanTask {
                command: words(&["sh", "-c", "rm -rf x\u{202e}\u{1b}[2J"]),
                dir: "web".into(),
                writes: false,
                ..PlanTask::new("look", "Look")
            },
        ];
        let gate = Gate {
            name: "test".into(),
            argv: words(&["python3", "-m", "unittest"]),
            dir: String::new(),
            framework: String::new(),
        };
        let right = [
            r#"Carry out this plan of 3 tasks for "Make it \"good\"\nnow"?"#,
            r#"- "Mend it\n- nothing else": work for an agent"#,
            r#"- "More": work for "claude""#,
            r#"- "Look": runs ["sh", "-c", "rm -rf x\u{202e}\u{1b}[2J"] in "web""#,
            r#"- proven by ["python3", "-m", "unittest"]"#,
        ];
        let text = asked("Make it \"good\"\nnow", &tasks, std::slice::from_ref(&gate));
        assert_eq!(text.lines().collect::<Vec<_>>(), right);
        // What only looks is proven by nothing.
        assert!(!asked("g", &tasks[2..], &[gate]).contains("proven"));
    }
}
