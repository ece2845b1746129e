//! `cargo xtask check`: exactly what CI runs, each step with its name and its time.
//!
//! The tests come last, so that the last lines are the summary of nextest.

mod prerequisites;
mod tools;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::{place, tidy};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Go on after a step that failed, to see everything that is wrong.
    #[arg(long)]
    keep_going: bool,
}

struct Step {
    name: &'static str,
    run: fn() -> anyhow::Result<()>,
}

const BEFORE_TESTS: &[Step] = &[
    Step { name: "prerequisites", run: prerequisites::provide },
    Step { name: "fmt", run: fmt },
    Step { name: "tidy", run: tidy::check },
    Step { name: "clippy", run: clippy },
    Step { name: "doc", run: doc },
    Step { name: "deny", run: deny },
    Step { name: "doc tests", run: doc_tests },
];

/// Runs the steps; a failure ends with exit code 1.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut failed = Vec::new();
    let mut told = Vec::new();
    for step in BEFORE_TESTS {
        let (took, outcome) = timed(step);
        if let Err(error) = outcome {
            println!("FAILED {}: {error:#}", step.name);
            if !options.keep_going {
                println!("Mend it and run `cargo xtask check` again (`--keep-going` shows all).");
                return Ok(ExitCode::FAILURE);
            }
            failed.push(step.name);
        }
        told.push(format!("{} {:.1} s", step.name, took.as_secs_f64()));
    }
    println!("== steps so far: {}", told.join(", "));
    if !failed.is_empty() {
        println!("== failed so far: {}", failed.join(", "));
    }
    // Nothing may be printed after the tests: whoever reads the end of a log finds their summary.
    println!("== tests");
    let green = tests()?;
    Ok(if green && failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn timed(step: &Step) -> (Duration, anyhow::Result<()>) {
    println!("== {}", step.name);
    let start = Instant::now();
    let outcome = (step.run)();
    let took = start.elapsed();
    println!("   {} took {:.1} s", step.name, took.as_secs_f64());
    (took, outcome)
}

fn fmt() -> anyhow::Result<()> {
    let mut command = place::cargo_command(&["fmt", "--all", "--", "--check"]);
    succeed(&mut command).context("`cargo fmt --all` mends it")
}

fn clippy() -> anyhow::Result<()> {
    succeed(&mut place::cargo_command(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

fn doc() -> anyhow::Result<()> {
    let mut command = place::cargo_command(&["doc", "--workspace", "--no-deps", "--locked"]);
    succeed(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn deny() -> anyhow::Result<()> {
    let deny = tools::DENY.provide()?;
    let mut command = Command::new(deny);
    // A build fetches the crates of this system alone; the lock file names those of all.
    succeed(&mut place::cargo_command(&["fetch", "--locked", "--quiet"]))?;
    command.args(["--offline", "--locked", "check", "--hide-inclusion-graph"]);
    command.args(["licenses", "bans", "sources"]);
    succeed(command.current_dir(place::root()))
}

fn doc_tests() -> anyhow::Result<()> {
    let tree = tidy::Tree::read(&place::root())?;
    let with_examples = tree.files.iter().any(|file| file.is_rust() && has_example(&file.text));
    if !with_examples {
        println!("   no example in any doc comment");
        return Ok(());
    }
    succeed(&mut place::cargo_command(&["test", "--doc", "--workspace", "--locked", "--quiet"]))
}

/// Whether a doc comment opens a block that rustdoc would compile and run.
fn has_example(text: &str) -> bool {
    let mut inside = false;
    for line in text.lines().map(str::trim_start) {
        let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            inside = false;
            continue;
        };
        let Some(language) = doc.trim().strip_prefix("```") else { continue };
        if !inside && matches!(language, "" | "rust" | "no_run" | "should_panic" | "compile_fail") {
            return true;
        }
        inside = !inside;
    }
    false
}

fn tests() -> anyhow::Result<bool> {
    let nextest = tools::NEXTEST.provide()?;
    // As `cargo nextest` calls it: the subcommand's own name is the first word.
    let words = ["nextest", "run", "--workspace", "--locked", "--profile", "ci"];
    let mut command = Command::new(nextest);
    command.args(words).current_dir(place::root());
    let status = command.status().context("cannot run cargo-nextest")?;
    Ok(status.success())
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} ended with {status}", line_of(command));
    }
    Ok(())
}

fn line_of(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let words = command.get_args().map(|word| word.to_string_lossy());
    std::iter::once(name.to_string_lossy()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::has_example;

    #[test]
    fn an_example_is_a_block_that_rustdoc_runs() {
        assert!(has_example("/// ```\n/// let a = 1;\n/// ```\n"));
        assert!(has_example("//! ```rust\n//! ```\n"));
        assert!(!has_example("/// ```text\n/// a picture\n/// ```\nfn f() {}\n"));
        assert!(!has_example("// ```\n"));
    }
}
