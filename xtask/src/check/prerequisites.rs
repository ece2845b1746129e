//! Programs the tests need that cargo does not bring.

use std::process::Command;

use anyhow::{Context, bail};

use crate::place;

struct Prerequisite {
    program: &'static str,
    package: &'static str,
    needed_by: &'static str,
}

/// Debian's packages, each with the tests that need it. A row goes when its tests go.
const TABLE: &[Prerequisite] = &[
    Prerequisite {
        program: "git",
        package: "git",
        needed_by: "worktrees, merges and detection in orchflow-workspace and orchflow",
    },
    Prerequisite {
        program: "bash",
        package: "bash",
        needed_by: "panes with a real shell in orchflow-terminal",
    },
    Prerequisite {
        program: "strace",
        package: "strace",
        needed_by: "the hostile repository in orchflow: what it starts and where it connects",
    },
    Prerequisite {
        program: "tmux",
        package: "tmux",
        needed_by: "the peer of the start-up bench in xtask",
    },
];

/// Sees that every program of the table is there; as root it installs what is not.
pub(super) fn provide() -> anyhow::Result<()> {
    let missing: Vec<_> =
        TABLE.iter().filter(|row| place::find_program(row.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for row in &missing {
        println!("   {} is missing; needed by: {}", row.program, row.needed_by);
    }
    let packages: Vec<_> = missing.iter().map(|row| row.package).collect();
    if is_root()? && place::find_program("apt-get").is_some() {
        return install(&packages);
    }
    bail!("install them: sudo apt-get install --yes {}", packages.join(" "))
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    // A fresh container has no list of packages, so the first try may fail without it.
    if apt(&["install", "--yes", "--no-install-recommends"], packages)? {
        return Ok(());
    }
    if apt(&["update"], &[])? && apt(&["install", "--yes", "--no-install-recommends"], packages)? {
        return Ok(());
    }
    bail!("apt-get could not install {}; what it said stands above", packages.join(" "))
}

fn apt(words: &[&str], packages: &[&str]) -> anyhow::Result<bool> {
    let mut command = Command::new("apt-get");
    command.args(words).args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command.status().context("cannot run apt-get")?.success())
}

fn is_root() -> anyhow::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let own = std::fs::metadata("/proc/self").context("cannot read /proc/self")?;
    Ok(own.uid() == 0)
}
