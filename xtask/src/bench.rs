//! `cargo xtask bench [NAME…]`: orchflow beside the tools it is compared with.
//!
//! Both sides of a row are measured in the same run, turn and turn about, so that a
//! busy machine is busy for both. A bench that needs a peer which is not installed
//! says so and fails; a number without its peer is not printed as a comparison.

mod build;
mod daemon;
mod events;
mod idle;
mod leaf;
mod measure;
mod noop;
mod socket;
mod startup;
mod tmux;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use crate::place;
use measure::Row;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The benches to run; all when none is named.
    names: Vec<String>,
    /// How many rounds each row has; the medians are told.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Print the rows and all samples as one JSON document.
    #[arg(long)]
    json: bool,
    /// Measure the dev build: quick to build, and not what users run.
    #[arg(long)]
    dev: bool,
    /// List the benches and what they measure.
    #[arg(long)]
    list: bool,
}

/// What a bench works with.
struct Setup {
    /// The orchflow that is measured, absolute.
    binary: PathBuf,
    /// How many rounds each row has.
    rounds: u32,
}

struct Bench {
    name: &'static str,
    about: &'static str,
    run: fn(&Setup) -> anyhow::Result<Vec<Row>>,
}

/// Every bench. A new one is a file beside this one's and a row here.
const BENCHES: &[Bench] = &[
    Bench {
        name: "startup",
        about: "a cold start of the daemon, and a question to a running one, against tmux",
        run: startup::run,
    },
    Bench {
        name: "noop",
        about: "tasks that do nothing, against a bare SQLite loop of the same rows",
        run: noop::run,
    },
    Bench {
        name: "events",
        about: "from a call to its event at socket clients, against a bare write and sync",
        run: events::run,
    },
    Bench {
        name: "leaf",
        about: "a worktree and its first pane, against a bare `git worktree add`",
        run: leaf::run,
    },
    Bench {
        name: "idle",
        about: "wakeups in ten seconds of doing nothing, memory, size, against tmux",
        run: idle::run,
    },
    Bench {
        name: "build",
        about: "dev and release builds from nothing, and from an edit to a dev binary",
        run: build::run,
    },
];

/// Builds orchflow, runs the benches and prints a table, or JSON.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.list {
        for bench in BENCHES {
            println!("{:<10} {}", bench.name, bench.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = chosen(&options.names)?;
    let setup = Setup { binary: build_binary(options.dev)?, rounds: options.rounds };
    let mut rows = Vec::new();
    for bench in chosen {
        eprintln_progress(bench.name);
        rows.extend((bench.run)(&setup)?);
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print!("{}", measure::table(&rows));
    }
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stderr, reason = "talk goes to standard error, so that --json stays clean")]
fn eprintln_progress(name: &str) {
    eprintln!("bench {name} …");
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Bench>> {
    if names.is_empty() {
        return Ok(BENCHES.iter().collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        match BENCHES.iter().find(|bench| bench.name == name) {
            Some(bench) => chosen.push(bench),
            None => bail!("no bench is called `{name}`; `cargo xtask bench --list` names them"),
        }
    }
    Ok(chosen)
}

fn build_binary(dev: bool) -> anyhow::Result<PathBuf> {
    let mut command = place::cargo_command(&["build", "--locked", "--package", "orchflow"]);
    if !dev {
        command.arg("--release");
    }
    if !command.status()?.success() {
        bail!("orchflow does not build; what cargo said stands above");
    }
    let folder = if dev { "debug" } else { "release" };
    Ok(place::target_dir()?.join(folder).join("orchflow"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bench_that_does_not_exist_is_refused_by_name() {
        let error = chosen(&["startup".to_owned(), "stratup".to_owned()]).err().unwrap();
        assert!(error.to_string().contains("`stratup`"), "{error}");
        assert_eq!(chosen(&[]).unwrap().len(), BENCHES.len());
    }
}
