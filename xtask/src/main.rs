//! What a developer of orchflow runs: `cargo xtask demo`, `check`, `tidy`, `bench`.
//!
//! One file per command. What it deliberately is not: nothing of it reaches a user's
//! machine, and no other crate depends on it.

#![allow(clippy::print_stdout, reason = "a developer's tool talks on its standard output")]

mod bench;
mod check;
mod demo;
mod place;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a developer of orchflow runs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything CI runs, in its order: formatting, tidy, clippy, docs, licences, tests.
    Check(check::Options),
    /// What compilers do not see: floors, sizes, pages, links, names.
    Tidy,
    /// Builds orchflow and runs its demonstration; further arguments go to it.
    Demo(demo::Options),
    /// Measures orchflow beside the tools it is compared with.
    Bench(bench::Options),
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Check(options) => check::run(&options),
        Command::Tidy => tidy::run(),
        Command::Demo(options) => demo::run(&options),
        Command::Bench(options) => bench::run(&options),
    }
}
