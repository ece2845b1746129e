//! A daemon that is measured: its own home, and its end when it is dropped.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// A folder for one daemon, and the orchflow that is to run in it.
pub(super) struct Daemon {
    binary: PathBuf,
    home: tempfile::TempDir,
}

impl Daemon {
    /// A home in which nothing was started yet.
    pub(super) fn new(binary: &Path) -> anyhow::Result<Self> {
        let home = tempfile::tempdir().context("cannot make a folder for a daemon")?;
        Ok(Self { binary: binary.to_path_buf(), home })
    }

    /// Starts it; returns when it answers.
    pub(super) fn up(&self) -> anyhow::Result<()> {
        self.run(&["up"]).map(drop)
    }

    /// Asks it how it is.
    pub(super) fn status(&self) -> anyhow::Result<()> {
        self.run(&["status"]).map(drop)
    }

    /// Its process id, as it tells it.
    pub(super) fn pid(&self) -> anyhow::Result<u32> {
        let told: serde_json::Value = serde_json::from_slice(&self.run(&["status", "--json"])?)?;
        let pid = told.get("pid").and_then(serde_json::Value::as_u64);
        let pid = pid.and_then(|pid| u32::try_from(pid).ok());
        pid.with_context(|| format!("`orchflow status --json` tells no pid: {told}"))
    }

    /// The folder everything of it is in.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Its socket, as it tells it.
    pub(super) fn socket(&self) -> anyhow::Result<PathBuf> {
        let told: serde_json::Value = serde_json::from_slice(&self.run(&["status", "--json"])?)?;
        let socket = told.get("socket").and_then(serde_json::Value::as_str);
        socket.map(PathBuf::from).context("`orchflow status --json` tells no socket")
    }

    /// Ends it.
    pub(super) fn down(&self) -> anyhow::Result<()> {
        self.run(&["down"]).map(drop)
    }

    fn run(&self, words: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new(&self.binary);
        // What it says is read to its end, so a daemon that kept our pipe open would be waited for.
        command.args(words).env("ORCHFLOW_HOME", self.home.path()).stdin(Stdio::null());
        command.current_dir(self.home.path());
        let output = command.output().context("cannot run orchflow")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`orchflow {}` ended with {}: {said}", words.join(" "), output.status);
        }
        Ok(output.stdout)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may never have been started, or be down already: then there is nothing to end.
        let _ = self.down();
    }
}
