//! A tmux server on a socket of its own, the peer of daemons.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::place;

/// A socket on which nothing runs yet, and the server that will.
pub(super) struct Tmux {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Tmux {
    /// A fresh socket; fails when tmux is not installed.
    pub(super) fn new() -> anyhow::Result<Self> {
        let program = place::find_program("tmux")
            .context("tmux is the peer of this bench: sudo apt-get install --yes tmux")?;
        Ok(Self { program, folder: tempfile::tempdir()? })
    }

    /// Starts the server with one session of one shell; returns when it answers.
    pub(super) fn new_session(&self) -> anyhow::Result<()> {
        self.run(&["new-session", "-d"]).map(drop)
    }

    /// Asks it for its sessions.
    pub(super) fn list(&self) -> anyhow::Result<()> {
        self.run(&["list-sessions"]).map(drop)
    }

    /// The server's process id.
    pub(super) fn pid(&self) -> anyhow::Result<u32> {
        let told = self.run(&["display-message", "-p", "#{pid}"])?;
        String::from_utf8_lossy(&told).trim().parse().context("tmux tells no pid")
    }

    fn run(&self, words: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new(&self.program);
        command.arg("-S").arg(self.folder.path().join("socket")).args(["-f", "/dev/null"]);
        command.args(words).env_remove("TMUX").stdin(Stdio::null());
        let output = command.output().context("cannot run tmux")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`tmux {}` ended with {}: {said}", words.join(" "), output.status);
        }
        Ok(output.stdout)
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // It may never have been started: then there is nothing to end.
        let _ = self.run(&["kill-server"]);
    }
}
