//! `cargo xtask tidy`: the rules that no compiler holds, each a function over the tree.
//!
//! It runs as a test, too, so that the architecture is executed and not remembered.
//! A rule gets the whole [`Tree`] and gives back faults that name their own mending.

mod crash_points;
mod error_pages;
mod floors;
mod links;
mod manifests;
mod modules;
mod paths_in_pages;
mod shape;
mod sizes;
mod sleeps;
mod tree;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use crate::place;

pub(crate) use tree::Tree;

/// One place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The file, relative to the repository's root.
    pub(crate) path: PathBuf,
    /// The line, from 1; 1 when the whole file is meant.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) mend: String,
}

impl Fault {
    fn new(
        path: impl Into<PathBuf>,
        line: usize,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), line, what: what.into(), mend: mend.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n    {}", self.path.display(), self.line, self.what, self.mend)
    }
}

type Rule = fn(&Tree) -> Vec<Fault>;

/// Every rule there is, by its name.
const RULES: &[(&str, Rule)] = &[
    ("floors", floors::edges),
    ("floors are written down", floors::page),
    ("file length", sizes::files),
    ("crate budget", sizes::crates),
    ("file heads", shape::heads),
    ("lib.rs", shape::lib_files),
    ("names", shape::names),
    ("forgotten files", modules::forgotten),
    ("one integration binary", modules::one_integration_binary),
    ("error pages", error_pages::check),
    ("reasons of dependencies", manifests::reasons),
    ("links", links::check),
    ("paths in pages", paths_in_pages::check),
    ("sleeps in tests", sleeps::check),
    ("crash points", crash_points::check),
];

/// Prints every fault; any ends with exit code 1.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let faults = faults(&Tree::read(&place::root())?);
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        println!("tidy: {} rules hold", RULES.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} faults", faults.len());
    Ok(ExitCode::FAILURE)
}

/// As [`run`], for a caller that wants an error.
pub(crate) fn check() -> anyhow::Result<()> {
    if run()? != ExitCode::SUCCESS {
        bail!("the tree is not tidy; each fault above names its mending");
    }
    Ok(())
}

fn faults(tree: &Tree) -> Vec<Fault> {
    RULES.iter().flat_map(|(_, rule)| rule(tree)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let faults = faults(&Tree::read(&place::root()).unwrap());
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(faults.is_empty(), "\n{}", told.join("\n"));
    }

    #[test]
    fn an_upward_edge_in_a_real_workspace_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let plant = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let package = |name: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
        };
        plant("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
        plant("crates/orchflow-store/Cargo.toml", &package("orchflow-store"));
        plant("crates/orchflow-store/src/lib.rs", "//! Rows.\n");
        let upward =
            "[dependencies]\norchflow-store = { path = \"../orchflow-store\" }\n".to_owned();
        let manifest = package("orchflow-types") + &upward;
        plant("crates/orchflow-types/Cargo.toml", &manifest);
        plant("crates/orchflow-types/src/lib.rs", "//! Words.\n");

        let tree = Tree::read(folder.path()).unwrap();
        let found = floors::edges(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, PathBuf::from("crates/orchflow-types/Cargo.toml"));
        assert!(found[0].what.contains("orchflow-types depends on orchflow-store"), "{found:?}");
        assert!(found[0].mend.contains("docs/decisions/"), "{found:?}");
    }
}
