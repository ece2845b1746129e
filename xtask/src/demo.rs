//! `cargo xtask demo`: from a checkout to the running demonstration in one command.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::place;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What `orchflow demo` is to be told.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    passed_on: Vec<OsString>,
}

/// Builds the binary in the dev profile, which is the fastest to build, and becomes it.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let built = place::cargo_command(&["build", "--locked", "--package", "orchflow"]).status()?;
    if !built.success() {
        bail!("orchflow does not build; what cargo said stands above");
    }
    let binary = place::target_dir()?.join("debug").join("orchflow");
    // The demonstration takes our place, so that it owns the terminal and its exit code is ours.
    let error = Command::new(&binary).arg("demo").args(&options.passed_on).exec();
    Err(error).with_context(|| format!("cannot run {}", binary.display()))
}
