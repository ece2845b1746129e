//! `orchflow runs`: lists runs, and approves, pauses, cancels or tells of one.

use std::path::PathBuf;

use clap::Subcommand;
use orchflow_client::Client;
use orchflow_protocol::run::{
    Approve, ApproveParams, Cancel, CancelParams, Get, List, ListParams, ListResult, Pause, Reject,
    RejectParams, Report, Rescue, RescueParams, RescueResult, Resume, RunParams,
};
use orchflow_types::run::{Run, RunStatus};
use orchflow_types::{ErrorKind, RunId};

use crate::context::Context;
use crate::output::{Output, Style, visible};
use crate::progress::view::View;
use crate::stop::{Ended, Stop};
use crate::talk::ago;
use crate::{plan_file, report};

/// What `runs` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where RUN is left out, the newest run of this project is meant.

Examples:
  orchflow runs
  orchflow runs show
  orchflow runs approve RUN               with `.orchflow/plan.md` as you edited it
  orchflow runs report RUN > report.md
  orchflow runs rescue                    work that was saved before a worktree went")]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Default, clap::Args)]
struct Which {
    /// Which; the newest of this project when not given
    #[arg(value_name = "RUN")]
    id: Option<RunId>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lists runs, newest first
    List(Listing),
    /// Shows a run: its plan, its tasks, where each stands
    Show(Which),
    /// Approves a run's plan
    Approve {
        #[command(flatten)]
        which: Which,
        /// The plan as you changed it; `.orchflow/plan.md` when it is this run's
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
    },
    /// Rejects a run's plan; nothing was changed
    Reject {
        #[command(flatten)]
        which: Which,
        /// Why, for the report
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Begins nothing new in a run; what is under way goes on
    Pause(Which),
    /// Goes on with a paused run
    Resume(Which),
    /// Stops a run; what is uncommitted is saved first
    Cancel {
        #[command(flatten)]
        which: Which,
        /// Why, for the report
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Tells what was done, by whom, proven how, and where the diff is
    Report(Which),
    /// Lists work that was saved, or restores one into a branch
    Rescue {
        /// What to restore, as the list names it
        #[arg(value_name = "NAME")]
        restore: Option<String>,
    },
}

#[derive(Debug, Default, clap::Args)]
struct Listing {
    /// Those of every project
    #[arg(long)]
    all: bool,
    /// The most to show
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Where the page before ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let client = cx.client().await?;
    match args.verb.unwrap_or_else(|| Verb::List(Listing::default())) {
        Verb::List(Listing { all, limit, cursor }) => {
            let dir = if all { None } else { Some(cx.dir_text()?) };
            let params = ListParams { status: None, dir, cursor, limit };
            let result = client.call::<List>(params).await?;
            cx.out.result(&result, |out, result| list(out, result, all));
        }
        Verb::Show(which) => {
            let params = RunParams { run_id: pick(cx, &client, which.id).await? };
            let run = client.call::<Get>(params).await?;
            cx.out.result(&run, show);
        }
        Verb::Approve { which, plan } => {
            let run_id = pick(cx, &client, which.id).await?;
            let run = approve(cx, &client, run_id, plan).await?;
            cx.out.result(&run, |out, run| {
                out.talk(format_args!(
                    "approved; `orchflow run --resume {}` watches it",
                    run.run_id
                ));
            });
        }
        Verb::Reject { which, reason } => {
            let run_id = pick(cx, &client, which.id).await?;
            let run = client.call::<Reject>(RejectParams { run_id, reason }).await?;
            cx.out.result(&run, told);
        }
        Verb::Pause(which) => {
            let params = RunParams { run_id: pick(cx, &client, which.id).await? };
            cx.out.result(&client.call::<Pause>(params).await?, told);
        }
        Verb::Resume(which) => {
            let params = RunParams { run_id: pick(cx, &client, which.id).await? };
            cx.out.result(&client.call::<Resume>(params).await?, told);
        }
        Verb::Cancel { which, reason } => {
            let run_id = pick(cx, &client, which.id).await?;
            cx.out.result(&client.call::<Cancel>(CancelParams { run_id, reason }).await?, told);
        }
        Verb::Report(which) => {
            let params = RunParams { run_id: pick(cx, &client, which.id).await? };
            let result = client.call::<Report>(params).await?;
            cx.out.result(&result, |out, result| report::markdown(out, &result.markdown));
        }
        Verb::Rescue { restore } => {
            let params = RescueParams { dir: cx.dir_text()?, restore };
            cx.out.result(&client.call::<Rescue>(params).await?, rescued);
        }
    }
    Ok(())
}

/// The run that is meant: the one given, or the newest of this project.
///
/// # Errors
/// `run_not_found` when the project has none.
pub(crate) async fn pick(
    cx: &Context,
    client: &Client,
    given: Option<RunId>,
) -> Result<RunId, Stop> {
    if let Some(id) = given {
        return Ok(id);
    }
    let params = ListParams { dir: Some(cx.dir_text()?), limit: Some(1), ..ListParams::default() };
    let newest = client.call::<List>(params).await?.runs.into_iter().next();
    let none = || {
        Stop::new(ErrorKind::RunNotFound, format!("{} has no runs", cx.dir.display()))
            .hint("`orchflow runs list --all` lists those of every project")
    };
    newest.map(|run| run.run_id).ok_or_else(none)
}

async fn approve(
    cx: &Context,
    client: &Client,
    run_id: RunId,
    file: Option<PathBuf>,
) -> Result<Run, Stop> {
    let run = client.call::<Get>(RunParams { run_id }).await?;
    let markdown = match &file {
        Some(file) => {
            Some(std::fs::read_to_string(file).map_err(|error| Stop::file("read", file, &error))?)
        }
        None => plan_file::edited(&run)?,
    };
    if markdown.is_some() && file.is_none() {
        cx.out.talk(format_args!("with {} as it is now", plan_file::path(&run).display()));
    }
    Ok(client.call::<Approve>(ApproveParams { run_id, plan: None, markdown }).await?)
}

fn told(out: Output, run: &Run) {
    out.talk(format_args!("{} is {}", run.run_id, status(run.status)));
}

fn list(out: Output, result: &ListResult, all: bool) {
    if result.runs.is_empty() {
        out.talk(if all {
            "there are no runs; `orchflow run \"run the tests and lint\"` makes one"
        } else {
            "this project has no runs; `orchflow runs list --all` lists those of every project"
        });
        return;
    }
    let rows: Vec<Vec<String>> = result
        .runs
        .iter()
        .map(|run| {
            let goal = run.goal.lines().next().unwrap_or_default().to_owned();
            vec![run.run_id.to_string(), status(run.status).to_owned(), ago(run.created_at), goal]
        })
        .collect();
    out.table(&["RUN", "STATUS", "STARTED", "GOAL"], &rows);
    if let Some(next) = &result.next_cursor {
        out.talk(format_args!("more with `--cursor {}`", visible(next)));
    }
}

fn show(out: Output, run: &Run) {
    out.line(format_args!("{}  {}", out.paint(Style::Bold, &visible(&run.goal)), run.run_id));
    let lines = View::of(run).lines(usize::MAX, usize::MAX, false);
    for line in lines {
        out.line(line);
    }
    if run.status == RunStatus::AwaitingApproval {
        if let Some(plan) = &run.plan {
            out.line("");
            report::markdown(out, &orchflow_workflow::plan_markdown::print(plan));
        }
        out.talk(format_args!(
            "`orchflow runs approve {0}` or `orchflow runs reject {0}`",
            run.run_id
        ));
    }
}

fn rescued(out: Output, result: &RescueResult) {
    if let Some(branch) = &result.branch {
        out.talk(format_args!("restored on the branch {}", visible(branch)));
        return;
    }
    if result.saved.is_empty() {
        out.talk("nothing is saved here");
        return;
    }
    let rows: Vec<Vec<String>> = result
        .saved
        .iter()
        .map(|saved| vec![saved.name.clone(), saved.saved_at.clone(), saved.subject.clone()])
        .collect();
    out.table(&["NAME", "SAVED", "SUBJECT"], &rows);
    out.talk("`orchflow runs rescue NAME` restores one into a branch");
}

/// A status as a person reads it.
#[must_use]
pub(crate) const fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::AwaitingApproval => "waiting for approval",
        RunStatus::Partial => "partly succeeded",
        other => other.as_str(),
    }
}
