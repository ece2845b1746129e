//! A leaf's beginning: its worktree and the pane its first program runs in, by the daemon's
//! socket, as a run asks for them; beside them a bare `git worktree add`.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::json;

use super::Setup;
use super::daemon::Daemon;
use super::measure::{Goal, Row, Subject, paired, timed};
use super::socket::Socket;

const FILES: u32 = 2_000;

/// One row.
pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let daemon = Daemon::new(&setup.binary)?;
    daemon.up()?;
    let repository = daemon.home().join("project");
    repository_of(&repository)?;
    let mut caller = Socket::connect(&daemon.socket()?)?;
    let dir = repository.to_str().context("a temporary folder has a plain name")?;
    let mut number = 0;
    let ours = || {
        number += 1;
        let name = format!("leaf-{number}");
        let branch = format!("orchflow/{name}");
        let mut path = String::new();
        let took = timed(|| {
            let add = json!({ "dir": dir, "name": name, "branch": branch, "base": "HEAD" });
            let added = caller.call("git.worktree_add", &add)?;
            path = added["path"].as_str().context("a worktree has a path")?.to_owned();
            caller.call("pane.create", &json!({ "command": ["true"], "cwd": path })).map(drop)
        })?;
        caller.call("git.worktree_remove", &json!({ "dir": dir, "path": path }))?;
        Ok(took)
    };
    let (bare, mut count) = (daemon.home().join("bare"), 0);
    let peer = || {
        count += 1;
        let path = bare.join(count.to_string());
        let path = path.to_str().context("a temporary folder has a plain name")?;
        let branch = format!("bare-{count}");
        let took =
            timed(|| git(&repository, &["worktree", "add", "--quiet", "-b", &branch, path]))?;
        git(&repository, &["worktree", "remove", "--force", path])?;
        Ok(took)
    };
    let (ours, peer) = paired(setup.rounds, ours, peer)?;
    let subject = Subject::new(
        "a worktree of 2000 files and its first pane",
        "ms",
        "git worktree add",
        Goal::RatioAtMost(1.3),
    );
    Ok(vec![subject.row(ours, peer)])
}

/// A repository with its files in folders of a hundred.
fn repository_of(root: &Path) -> anyhow::Result<()> {
    for number in 0..FILES {
        let folder = root.join(format!("src/part{}", number / 100));
        std::fs::create_dir_all(&folder)?;
        let text = format!("// File {number}.\n").repeat(40);
        std::fs::write(folder.join(format!("file{number}.rs")), text)?;
    }
    git(root, &["init", "--quiet"])?;
    git(root, &["add", "."])?;
    git(root, &["commit", "--quiet", "--message", "Files"])
}

fn git(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=bench", "-c", "user.email=bench@localhost"]);
    command.args(["-c", "commit.gpgSign=false", "-c", "gc.auto=0"]);
    let output = command.args(words).current_dir(root).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`git {}` ended with {}: {said}", words.join(" "), output.status);
    }
    Ok(())
}
