//! Cargo's own helpers that `check` needs: taken from the machine, else built once.

use std::path::PathBuf;

use anyhow::bail;

use crate::place;

/// A program from crates.io.
pub(super) struct Tool {
    name: &'static str,
    /// The version that is built where none is found; one on `PATH` is taken as it is.
    version: &'static str,
}

/// Licences, bans and sources of dependencies.
pub(super) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
/// The test runner.
pub(super) const NEXTEST: Tool = Tool { name: "cargo-nextest", version: "0.9.143" };

impl Tool {
    /// Where the program is; builds it into `target/tools` when the machine has none.
    pub(super) fn provide(&self) -> anyhow::Result<PathBuf> {
        if let Some(found) = place::find_program(self.name) {
            return Ok(found);
        }
        let tools = place::target_dir()?.join("tools");
        let program = tools.join("bin").join(self.name);
        if place::is_executable(&program) {
            return Ok(program);
        }
        println!("   {} is missing: building {} once (minutes)", self.name, self.version);
        let build = tools.join("build");
        let mut command = place::cargo_command(&["install", "--locked", "--debug", "--force"]);
        command.args([self.name, "--version", self.version]);
        command.arg("--root").arg(&tools).arg("--target-dir").arg(&build);
        if !command.status()?.success() || !place::is_executable(&program) {
            bail!("`cargo install --locked {}` failed; what it said stands above", self.name);
        }
        // Only the program is wanted; what it was built from is of the order of a gigabyte.
        std::fs::remove_dir_all(&build)?;
        Ok(program)
    }
}
