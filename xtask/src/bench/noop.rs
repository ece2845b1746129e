//! Tasks that do nothing, through machine, journal and event log, beside a bare SQLite loop
//! that writes the same rows. Both are in `orchflow-orchestrator/benches/noop`; this runs it.

use anyhow::{Context, bail};
use serde::Deserialize;

use super::Setup;
use super::measure::{Goal, Row, Subject};
use crate::place;

/// Tasks of a small run and of a large one.
const FEW: u32 = 1_000;
const MANY: u32 = 20_000;
/// More rounds would say nothing new and cost minutes.
const ROUNDS: u32 = 5;

const PEER: &str = "bare rusqlite";

/// What the benchmark prints of one run.
#[derive(Debug, Deserialize)]
struct Line {
    tasks: u32,
    tasks_per_s: f64,
    us_per_task: f64,
    tasks_per_fsync: f64,
    bare_tasks_per_s: f64,
}

/// The rows, from rounds of a small and a large run each.
pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let mut command = place::cargo_command(&["bench", "--quiet", "--locked"]);
    command.args(["--package", "orchflow-orchestrator", "--bench", "noop", "--"]);
    for _ in 0..setup.rounds.min(ROUNDS) {
        command.args([FEW.to_string(), MANY.to_string()]);
    }
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("the benchmark `noop` failed; what it said stands above");
    }
    rows(&String::from_utf8_lossy(&output.stdout))
}

fn rows(printed: &str) -> anyhow::Result<Vec<Row>> {
    let lines = printed.lines().filter(|line| line.starts_with('{')).map(serde_json::from_str);
    let lines: Vec<Line> = lines.collect::<Result<_, _>>().context("a line cannot be read")?;
    let of = |tasks: u32, value: fn(&Line) -> f64| -> Vec<f64> {
        lines.iter().filter(|line| line.tasks == tasks).map(value).collect()
    };
    let rate = |line: &Line| line.tasks_per_s;
    let mut rows = Vec::new();
    for tasks in [FEW, MANY] {
        let what = format!("no-op tasks, {tasks} in the run, 256 in flight, every commit synced");
        rows.push(
            Subject::new(&what, "tasks/s", PEER, Goal::RatioAtLeast(0.5))
                .row(of(tasks, rate), of(tasks, |line| line.bare_tasks_per_s)),
        );
    }
    let alone = |what, unit, goal, samples| Subject::alone(what, unit, goal).row(samples, vec![]);
    let cost = |line: &Line| line.us_per_task;
    rows.push(alone("the same, as a rate", "tasks/s", Goal::AtLeast(3_000.0), of(MANY, rate)));
    rows.push(alone("tasks per fsync", "tasks", Goal::Told, of(MANY, |line| line.tasks_per_fsync)));
    rows.push(
        Subject::new(
            "cost of a task, of 20000 beside of 1000",
            "µs",
            "1000",
            Goal::RatioAtMost(1.2),
        )
        .row(of(MANY, cost), of(FEW, cost)),
    );
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_small_and_large_runs_become_paired_rows() {
        let line = |tasks: u32, rate: f64| {
            format!(
                r#"{{"tasks":{tasks},"tasks_per_s":{rate},"us_per_task":{},"tasks_per_fsync":130.0,"bare_tasks_per_s":8000.0}}"#,
                1e6 / rate
            )
        };
        let printed = format!("{}\nnoise\n{}\n", line(FEW, 5000.0), line(MANY, 2500.0));
        let told: Vec<_> = rows(&printed).unwrap().iter().map(|row| row.ok).collect();
        assert_eq!(told, [Some(true), Some(false), Some(false), None, Some(false)]);
    }
}
