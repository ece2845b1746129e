//! The command line: its words, its help, and the way from a command to an exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use orchflow_client::Error;
use orchflow_types::ErrorKind;

use crate::commands::{
    agents, attention, completions, config, demo, doctor, down, exec, home, logs, muxd, pane, plan,
    policy, route, rpc, run, runs, status, task, trust, up,
};
use crate::context::Context;
use crate::output::Output;
use crate::stop::{Ended, Stop};

/// Turns words into tested commits: plans, asks, lets coding agents work in worktrees of
/// their own, proves the result with your project's own tests, and merges it when it is safe.
#[derive(Debug, Parser)]
#[command(
    name = "orchflow",
    version,
    about = "Turns words into tested commits, with the coding agents you have",
    after_help = HELP,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Prints what the method answers as JSON; errors as one JSON object on stderr
    #[arg(long, global = true, display_order = 900)]
    pub json: bool,
    /// The project's folder, instead of the current one
    #[arg(short = 'C', long, global = true, value_name = "DIR", display_order = 901)]
    pub dir: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const HELP: &str = "\
Examples:
  orchflow run \"run the tests and lint\"     finds your project's commands and runs them
  orchflow run \"add a --json flag to list\"  plan, your approval, work, gates, audit, merge
  orchflow plan \"add a --json flag to list\" only the plan
  orchflow doctor                           what this machine has, and how to mend the rest

Data goes to stdout, talk to stderr. Exit codes: 0 done, 1 the work failed, 2 usage,
3 not found, 4 refused by policy or permission, 5 unavailable, 6 budget, 7 conflict,
8 storage, 70 a fault of orchflow, 130 interrupted.";

/// Every command; its words and its doing are in the file of its name.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts the daemon, when none runs
    Up(up::Args),
    /// Ends the daemon; runs go on at its next start
    Down,
    /// Says how the daemon is
    Status,
    /// Shows the whole chain on a small real project, with a scripted agent
    Demo(demo::Args),
    /// Does what you say: plans it, asks, works, proves it, merges it
    Run(Box<run::Args>),
    /// Makes the plan of a goal and starts nothing
    Plan(plan::Args),
    /// Lists runs, and approves, pauses, cancels or tells of one
    Runs(runs::Args),
    /// The task tree: create, change, start, import, export
    Task(task::Args),
    /// Turns plain words into a kind of work and a command
    Route(route::Args),
    /// Lists the coding agents that were looked for, found or not
    Agents,
    /// Shows what waits for you, and takes your answers
    Attention(attention::Args),
    /// Terminals: create, read, write, resize, wait, kill
    Pane(pane::Args),
    /// Runs a command in a pane, as if it were run here
    Exec(exec::Args),
    /// Shows what a repository's own configuration holds, and trusts exactly that
    Trust(trust::Args),
    /// Settings: show them with where each came from, read, write
    Config(config::Args),
    /// Checks what orchflow needs on this machine, and says how to mend it
    Doctor(doctor::Args),
    /// Says what the policies would decide on a command
    Policy(policy::Args),
    /// Calls any method of the daemon
    Rpc(rpc::Args),
    /// Shows the daemon's log
    Logs(logs::Args),
    /// Prints the completions of a shell
    Completions(completions::Args),
    /// Holds terminals; the daemon starts it
    #[command(hide = true)]
    Muxd(muxd::Args),
    /// Plays a part of the demo
    #[command(hide = true)]
    DemoAgent(demo::scripted::Args),
}

/// The program: reads argv, runs the command, answers its exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let out = Output::of_process(cli.json);
    let runtime = if matches!(&cli.command, Some(Command::Up(args)) if args.foreground) {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()
    } else {
        tokio::runtime::Builder::new_current_thread().enable_all().build()
    };
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(dispatch(cli));
            // A thread that still reads the keyboard would hold the process.
            runtime.shutdown_background();
            ended
        }
        Err(error) => {
            Err(Stop::new(ErrorKind::Unavailable, format!("the system gives no threads: {error}")))
        }
    };
    ExitCode::from(exit_code(out, ended))
}

/// Words that are no command; as one JSON object where `--json` is among them.
fn misused(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().take_while(|word| word != "--").any(|word| word == "--json");
    if !json || !error.use_stderr() {
        error.exit();
    }
    let told = error.to_string();
    let what = told.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    let words: Vec<&str> = what.split_whitespace().collect();
    let usage = told.lines().find_map(|line| line.strip_prefix("Usage: "));
    let hint = format!("`{}`", usage.unwrap_or("orchflow --help"));
    let stop = Stop::usage(words.join(" ")).hint(hint);
    ExitCode::from(exit_code(Output::of_process(true), Err(stop)))
}

async fn dispatch(cli: Cli) -> Ended {
    let context = Context::of_process(cli.json, cli.dir)?;
    let cx = &context;
    let Some(command) = cli.command else { return home::run(cx).await };
    match command {
        Command::Up(args) => up::run(cx, args).await,
        Command::Down => down::run(cx).await,
        Command::Status => status::run(cx).await,
        Command::Run(args) => Box::pin(run::run(cx, *args)).await,
        Command::Plan(args) => plan::run(cx, args).await,
        Command::Runs(args) => runs::run(cx, args).await,
        Command::Task(args) => Box::pin(task::run(cx, args)).await,
        Command::Route(args) => route::run(cx, args).await,
        Command::Agents => agents::run(cx).await,
        Command::Attention(args) => attention::run(cx, args).await,
        Command::Pane(args) => pane::run(cx, args).await,
        Command::Exec(args) => Box::pin(exec::run(cx, args)).await,
        Command::Trust(args) => trust::run(cx, args).await,
        Command::Config(args) => config::run(cx, args).await,
        Command::Doctor(args) => doctor::run(cx, args).await,
        Command::Policy(args) => policy::run(cx, args).await,
        Command::Rpc(args) => rpc::run(cx, args).await,
        Command::Logs(args) => logs::run(cx, args).await,
        Command::Completions(args) => completions::run(cx, args),
        Command::Demo(args) => Box::pin(demo::run(cx, args)).await,
        Command::Muxd(args) => muxd::run(&args).await,
        Command::DemoAgent(args) => demo::scripted::run(cx, &args),
    }
}

fn exit_code(out: Output, ended: Ended) -> u8 {
    match ended {
        Ok(()) => 0,
        Err(Stop::Code(code)) => code,
        Err(Stop::Error(error)) => {
            out.error(&error);
            Error::kind(&error).exit_code()
        }
    }
}

#[cfg(test)]
mod tests;
