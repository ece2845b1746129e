//! Building: how long a developer waits for a new binary, from nothing and after an edit.

use std::fs::FileTimes;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, bail};

use super::Setup;
use super::measure::{Goal, Row, Subject, timed};
use crate::place;

/// More rounds would say nothing new and cost minutes.
const ROUNDS: u32 = 5;

/// Three rows; there is no peer to build.
pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    // A folder of its own, so that nothing is built yet and nobody else builds into it.
    let folder = tempfile::tempdir().context("cannot make a folder to build into")?;
    let dev = timed(|| build(folder.path(), &[]))?;
    let mut edits = Vec::new();
    for _ in 0..setup.rounds.min(ROUNDS) {
        touch()?;
        edits.push(timed(|| build(folder.path(), &[]))?);
    }
    let release = timed(|| build(folder.path(), &["--release"]))?;
    let seconds = |samples: Vec<f64>| samples.into_iter().map(|ms| ms / 1000.0).collect();
    let subject = |what, goal| Subject::alone(what, "s", goal);
    Ok(vec![
        subject("dev build from nothing", Goal::Told).row(seconds(vec![dev]), Vec::new()),
        subject("release build from nothing", Goal::Told).row(seconds(vec![release]), Vec::new()),
        subject("one edit of the binary's crate to a dev binary", Goal::AtMost(3.0))
            .row(seconds(edits), Vec::new()),
    ])
}

/// Makes cargo see an edit; the text stays as it is.
fn touch() -> anyhow::Result<()> {
    let path = place::root().join("crates/orchflow/src/cli.rs");
    let file = std::fs::File::options().append(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    file.set_times(FileTimes::new().set_modified(SystemTime::now()))?;
    Ok(())
}

fn build(folder: &Path, more: &[&str]) -> anyhow::Result<()> {
    let mut command =
        place::cargo_command(&["build", "--quiet", "--locked", "--package", "orchflow"]);
    if !command.args(more).env("CARGO_TARGET_DIR", folder).status()?.success() {
        bail!("orchflow does not build; what cargo said stands above");
    }
    Ok(())
}
