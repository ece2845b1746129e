//! Building: how long a developer waits from an edit to a new binary.

use std::fs::FileTimes;
use std::time::SystemTime;

use anyhow::{Context, bail};

use super::Setup;
use super::measure::{Row, Subject, timed};
use crate::place;

const EDIT: Subject = Subject {
    what: "edit of the binary's crate to a dev binary",
    unit: "ms",
    peer: "",
    goal: "< 3000 ms",
};

/// More rounds would say nothing new and cost minutes.
const ROUNDS: u32 = 5;

/// One row; there is no peer to build.
pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    build()?;
    let mut samples = Vec::new();
    for _ in 0..setup.rounds.min(ROUNDS) {
        touch()?;
        samples.push(timed(build)?);
    }
    Ok(vec![EDIT.row(samples, Vec::new())])
}

/// Makes cargo see an edit; the text stays as it is.
fn touch() -> anyhow::Result<()> {
    let path = place::root().join("crates/orchflow/src/main.rs");
    let file = std::fs::File::options().append(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    file.set_times(FileTimes::new().set_modified(SystemTime::now()))?;
    Ok(())
}

fn build() -> anyhow::Result<()> {
    let words = ["build", "--quiet", "--locked", "--package", "orchflow"];
    if !place::cargo_command(&words).status()?.success() {
        bail!("orchflow does not build; what cargo said stands above");
    }
    Ok(())
}
