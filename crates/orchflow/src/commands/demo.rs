//! `orchflow demo`: the whole chain on a small real project, with a scripted agent that
//! says so. Panes, worktrees, tests, audit, merge and commit are the real ones.
//!
//! It runs under a home of its own beside the project, so that nothing of the user's
//! (settings, tasks, a running daemon) is touched.

mod project;
pub(crate) mod scripted;

use std::path::{Path, PathBuf};

use orchflow_client::Error;
use orchflow_protocol::method::Empty;
use orchflow_protocol::run::{Choices, Start, StartParams};
use orchflow_protocol::system;
use orchflow_runtime::env;
use orchflow_types::ErrorKind;

use crate::context::Context;
use crate::output::Style;
use crate::places::{Given, Places, absolute};
use crate::stop::{Ended, Stop};
use crate::{connect, progress, settings};

/// What `demo` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orchflow demo                     unpacks the project into a fresh folder and runs
  orchflow demo ~/words --unpack    only unpacks it
  orchflow demo ~/words             runs on it as it stands, changed by hand or not")]
pub struct Args {
    /// Where the project is, or is to be; a fresh folder when not said
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Only unpacks the project
    #[arg(long)]
    unpack: bool,
}

const GOAL: &str = "Mend most_common so that the tests pass";

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    if env::find_program("python3").is_none() {
        let text = "the demo's project is in Python, and `python3` was not found";
        return Err(Stop::new(ErrorKind::ProgramNotFound, text)
            .hint("install python3, or try `orchflow run` in a project of yours"));
    }
    let dir = folder(cx, args.folder)?;
    if !project::is_unpacked(&dir) {
        project::unpack(&dir).await?;
        cx.out.talk(format!("Unpacked a small project with a failing test into {}", dir.display()));
    }
    if args.unpack {
        cx.out.talk(format!("Change it as you like, then: orchflow demo {}", dir.display()));
        return Ok(());
    }
    let inner = within(cx, &dir)?;
    tell_what_is_real(cx);
    let ended = follow(&inner).await;
    end_daemon(&inner).await;
    if ended.is_ok() {
        show(cx, &dir).await?;
    }
    tell_what_next(cx, &dir, ended.is_ok());
    ended
}

async fn follow(cx: &Context) -> Ended {
    let (client, _) = connect::daemon(&cx.places, None).await?;
    let before = client.call::<system::Info>(Empty {}).await?.cursor;
    let choices =
        Choices { auto_approve: Some(true), from_working_tree: Some(true), ..Choices::default() };
    let params = StartParams { goal: GOAL.to_owned(), dir: cx.dir_text()?, choices, plan: None };
    let run_id = client.call::<Start>(params).await?.run_id;
    progress::follow(cx, client, run_id, before).await
}

fn folder(cx: &Context, given: Option<PathBuf>) -> Result<PathBuf, Stop> {
    let dir = match given {
        Some(dir) => absolute(cx.dir.join(dir)),
        None => fresh(&std::env::temp_dir())?,
    };
    if project::is_unpacked(&dir) || project::is_empty(&dir) {
        return Ok(dir);
    }
    let text = format!("{} is not empty and not the demo's project", dir.display());
    Err(Stop::new(ErrorKind::Conflict, text).hint("give a folder that is empty or not there yet"))
}

/// `orchflow-demo`, or the first `orchflow-demo-N` that nobody has.
fn fresh(parent: &Path) -> Result<PathBuf, Stop> {
    for number in 1_u32.. {
        let name = if number == 1 {
            "orchflow-demo".to_owned()
        } else {
            format!("orchflow-demo-{number}")
        };
        let path = parent.join(name);
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path.join("words")),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Stop::file("make", &path, &error)),
        }
    }
    unreachable!("the numbers do not end before the names do")
}

/// The context of a home of its own beside the project, with the scripted agents in it.
fn within(cx: &Context, dir: &Path) -> Result<Context, Stop> {
    let home = home(dir);
    let places = Places::from(&Given { orchflow_home: Some(home.clone()), ..Given::default() })?;
    let program = std::env::current_exe().map_err(|error| {
        Stop::new(ErrorKind::Internal, format!("this program cannot find itself: {error}"))
    })?;
    std::fs::create_dir_all(&home).map_err(|error| Stop::file("make", &home, &error))?;
    let agent = |name: &str| {
        let command = serde_json::json!([program, "demo-agent", "{role}"]);
        [
            (format!("agents.{name}.kind"), serde_json::json!("command")),
            (format!("agents.{name}.command"), command),
        ]
    };
    let chain = |role: &str, name: &str| (format!("roles.{role}.chain"), serde_json::json!([name]));
    let mut wanted = Vec::from(agent("scripted"));
    wanted.extend(agent("scripted-auditor"));
    wanted.extend([
        chain("executor", "scripted"),
        chain("consultant", "scripted"),
        chain("auditor", "scripted-auditor"),
    ]);
    for (key, value) in wanted {
        settings::set(places.config(), &key, &value)?;
    }
    Ok(Context { places, out: cx.out, dir: dir.to_owned() })
}

fn home(dir: &Path) -> PathBuf {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    dir.with_file_name(format!(".{name}-orchflow"))
}

async fn end_daemon(cx: &Context) {
    if let Ok(Some((client, _))) = connect::running(&cx.places).await {
        let _ = client.call::<system::Shutdown>(Empty {}).await; // its answer may be cut off by its end
    }
}

fn tell_what_is_real(cx: &Context) {
    cx.out.talk(cx.out.paint(
        Style::Bold,
        "The agents of this demo are scripted: no model is asked, and each says so.",
    ));
    cx.out.talk("All else is real: worktrees, panes, the project's own tests, an audit that may refuse, the merge.\n");
}

async fn show(cx: &Context, dir: &Path) -> Result<(), Error> {
    let log = project::git(dir, &["log", "--oneline", "--graph", "-5"]).await?;
    let status = project::git(dir, &["status", "--short", "--branch"]).await?;
    cx.out.line(format!(
        "\n$ git log --oneline --graph -5\n{log}\n$ git status --short --branch\n{status}"
    ));
    Ok(())
}

fn tell_what_next(cx: &Context, dir: &Path, green: bool) {
    let place = dir.display();
    cx.out.talk(format!("\nThe repository is there to look at: cd {place} && git show"));
    if !green {
        cx.out.talk("It ended red, as it must when the tests do not pass.");
    }
    cx.out.talk("With your own agent, in a project of yours:");
    cx.out.talk("  orchflow agents                            which were found here");
    cx.out.talk("  orchflow run \"run the tests and lint\"      needs no agent at all");
    cx.out.talk(
        "  orchflow run \"fix the failing test\"        plans, asks you, works, proves, merges",
    );
}
