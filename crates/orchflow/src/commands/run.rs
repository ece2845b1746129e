//! `orchflow run`: starts a run (or takes one up again) and follows it to its end.

use std::collections::BTreeMap;

use clap::ValueEnum;
use orchflow_client::Client;
use orchflow_protocol::method::Empty;
use orchflow_protocol::run::{
    Choices, Get, List, ListParams, Resume, RunParams, Start, StartParams,
};
use orchflow_protocol::{system, task};
use orchflow_types::run::{RunMode, RunStatus};
use orchflow_types::{ErrorKind, Role, RunId, TaskId};

use crate::context::Context;
use crate::progress;
use crate::stop::{Ended, Stop};

/// What `run` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A plan that changes files waits for your approval; you may edit it first. Tests, build, lint
and format need no approval and no agent. Ctrl-C cancels the run; with --detach it goes on
without this command. Exit code 0 when all of it succeeded, 1 when not, 4 when it waits for
an approval that nobody here can give.

Examples:
  orchflow run \"run the tests and lint\"
  orchflow run \"add a --json flag to the list command\"
  orchflow run --auto-approve --role executor=claude --role auditor=codex,claude fix the typo
  orchflow run --task TASK               a task of the tree
  orchflow run --resume                  takes up the newest run of this project")]
pub struct Args {
    /// What should be done, in plain words
    #[arg(value_name = "GOAL", required_unless_present_any = ["task", "resume"])]
    goal: Vec<String>,
    /// A task of the tree, instead of a goal
    #[arg(long, value_name = "TASK", conflicts_with_all = ["goal", "resume"])]
    task: Option<TaskId>,
    /// Takes up a run again: this one, or the newest of this project that is not finished
    #[arg(long, value_name = "RUN", num_args = 0..=1, conflicts_with = "goal")]
    resume: Option<Option<RunId>>,
    /// Starts the run, prints its id and does not wait
    #[arg(long)]
    detach: bool,
    #[command(flatten)]
    choosing: Choosing,
}

/// The flags that settle how a run goes; what is left out comes from configuration.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Choosing {
    /// Goes on with a plan that changes files without asking
    #[arg(long)]
    auto_approve: bool,
    /// The agents of a role, tried in order; may be given again
    #[arg(long, value_name = "ROLE=AGENT[,AGENT…]", value_parser = role)]
    role: Vec<(Role, Vec<String>)>,
    /// Whether tasks that change files go one at a time or side by side
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// The most tasks at work at the same time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    max_concurrency: Option<u32>,
    /// The most rounds of fixing after a red gate or a refusing audit
    #[arg(long, value_name = "N")]
    max_iterations: Option<u32>,
    /// The most minutes the whole run may take
    #[arg(long, value_name = "N")]
    minutes: Option<u32>,
    /// Starts from the working tree as it stands instead of HEAD
    #[arg(long)]
    from_working_tree: bool,
    /// Leaves the result on its branch
    #[arg(long)]
    no_commit: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Sequential,
    Parallel,
}

impl Choosing {
    /// The same as the protocol has it.
    ///
    /// # Errors
    /// When a role is given twice.
    pub(crate) fn choices(self) -> Result<Choices, Stop> {
        let mut roles = BTreeMap::new();
        for (role, chain) in self.role {
            if roles.insert(role, chain).is_some() {
                return Err(Stop::usage(format!("the role `{role}` is given twice"))
                    .hint(format!("name its agents in order: `--role {role}=FIRST,SECOND`")));
            }
        }
        Ok(Choices {
            mode: self.mode.map(|mode| match mode {
                Mode::Sequential => RunMode::Sequential,
                Mode::Parallel => RunMode::Parallel,
            }),
            max_concurrency: self.max_concurrency,
            max_iterations: self.max_iterations,
            auto_approve: self.auto_approve.then_some(true),
            commit: self.no_commit.then_some(false),
            from_working_tree: self.from_working_tree.then_some(true),
            minutes: self.minutes,
            roles,
        })
    }
}

fn role(text: &str) -> Result<(Role, Vec<String>), String> {
    let (name, agents) = text.split_once('=').ok_or("it reads ROLE=AGENT[,AGENT…]")?;
    let found = Role::ALL.into_iter().find(|role| role.as_str() == name);
    let names = Role::ALL.map(Role::as_str).join(", ");
    let role = found.ok_or_else(|| format!("there is no role `{name}`; roles are {names}"))?;
    let agents: Vec<String> = agents
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if agents.is_empty() {
        Err(format!("no agent is named for `{name}`"))
    } else {
        Ok((role, agents))
    }
}

/// The goal in one text; none when there are no words in it.
#[must_use]
pub(crate) fn goal(words: &[String]) -> Option<String> {
    let goal = words.join(" ").trim().to_owned();
    (!goal.is_empty()).then_some(goal)
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let client = cx.client().await?;
    // Taken before the start, so that not one event of the run is missed.
    let before = client.call::<system::Info>(Empty {}).await?.cursor;
    let run_id = begin(cx, &client, &args.goal, args.task, args.resume, args.choosing).await?;
    if args.detach {
        cx.out.result(&serde_json::json!({ "run_id": run_id }), |out, _| {
            out.line(run_id);
            out.talk(
                "`orchflow run --resume` watches it, `orchflow runs show` shows where it stands",
            );
        });
        return Ok(());
    }
    progress::follow(cx, client, run_id, before).await
}

async fn begin(
    cx: &Context,
    client: &Client,
    words: &[String],
    task: Option<TaskId>,
    resume: Option<Option<RunId>>,
    choosing: Choosing,
) -> Result<RunId, Stop> {
    if let Some(given) = resume {
        return take_up(cx, client, given).await;
    }
    let (dir, choices) = (cx.dir_text()?, choosing.choices()?);
    if let Some(task_id) = task {
        let params = task::StartParams { task_id, dir, choices };
        return Ok(client.call::<task::Start>(params).await?.run_id);
    }
    let goal = goal(words).ok_or_else(|| Stop::usage("the goal is empty"))?;
    let params = StartParams { goal, dir, choices, plan: None };
    Ok(client.call::<Start>(params).await?.run_id)
}

/// The run to watch again; a paused one goes on.
async fn take_up(cx: &Context, client: &Client, given: Option<RunId>) -> Result<RunId, Stop> {
    let run_id = match given {
        Some(id) => id,
        None => {
            let dir = Some(cx.dir_text()?);
            let runs = client.call::<List>(ListParams { dir, ..ListParams::default() }).await?.runs;
            let open = runs.into_iter().find(|run| !run.status.is_final());
            open.map(|run| run.run_id).ok_or_else(|| {
                Stop::new(ErrorKind::RunNotFound, "no run of this project is unfinished")
                    .hint("`orchflow runs list` lists the finished ones")
            })?
        }
    };
    let params = RunParams { run_id };
    if client.call::<Get>(params.clone()).await?.status == RunStatus::Paused {
        client.call::<Resume>(params).await?;
    }
    Ok(run_id)
}
