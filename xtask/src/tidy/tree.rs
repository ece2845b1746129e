//! The repository as the rules see it: its text files, all its paths, its crates.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cargo_metadata::DependencyKind;

use crate::place;

/// A snapshot of a checkout. Paths are relative to its root.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Files that hold UTF-8 text, sorted by path.
    pub(crate) files: Vec<File>,
    /// Every file and folder, text or not.
    pub(crate) paths: BTreeSet<PathBuf>,
    /// The members of the workspace.
    pub(crate) crates: Vec<Crate>,
}

/// A text file.
#[derive(Debug)]
pub(crate) struct File {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it holds.
    pub(crate) text: String,
}

/// A member of the workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    /// Its name.
    pub(crate) name: String,
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// The members it depends on.
    pub(crate) edges: Vec<Edge>,
}

/// A dependency of one member on another.
#[derive(Debug)]
pub(crate) struct Edge {
    /// The crate depended on.
    pub(crate) to: String,
    /// Whether only tests, examples and benches need it.
    pub(crate) dev: bool,
}

// What is built, fetched or kept by tools is not part of the tree.
const LEFT_OUT: [&str; 4] = [".git", "target", "node_modules", ".orchflow"];

impl Tree {
    /// Reads the checkout at `root`.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.walk(root, Path::new(""))?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.crates = crates(root)?;
        Ok(tree)
    }

    /// The file at `path`, if it is there and text.
    pub(crate) fn file(&self, path: impl AsRef<Path>) -> Option<&File> {
        self.files.iter().find(|file| file.path == path.as_ref())
    }

    /// Its Rust sources.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    fn walk(&mut self, root: &Path, dir: &Path) -> anyhow::Result<()> {
        let full = root.join(dir);
        let entries = full.read_dir().with_context(|| format!("cannot list {}", full.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = dir.join(entry.file_name());
            let kind = entry.file_type()?;
            if LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if kind.is_dir() {
                self.walk(root, &path)?;
            } else if kind.is_file()
                && let Ok(text) = String::from_utf8(std::fs::read(entry.path())?)
            {
                self.files.push(File { path: path.clone(), text });
            }
            self.paths.insert(path);
        }
        Ok(())
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of these files (path, text), with no crates.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            let path = PathBuf::from(path);
            tree.paths.extend(path.ancestors().filter(|p| *p != Path::new("")).map(PathBuf::from));
            tree.files.push(File { path, text: (*text).to_owned() });
        }
        tree
    }

    /// The same with a crate: its name, and the crates it depends on.
    pub(crate) fn with_crate(mut self, name: &str, deps: &[&str]) -> Self {
        let edges = deps.iter().map(|to| Edge { to: (*to).to_owned(), dev: false }).collect();
        let dir = Path::new("crates").join(name);
        self.crates.push(Crate { name: name.to_owned(), dir, edges });
        self
    }
}

impl File {
    /// Whether it is a Rust source.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "rs")
    }

    /// Whether all of it is test code: below a `tests` folder, or called `tests.rs`.
    pub(crate) fn is_test(&self) -> bool {
        self.path.iter().any(|part| part == "tests" || part == "tests.rs")
    }

    /// The name without folder and extension.
    pub(crate) fn stem(&self) -> &str {
        self.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
    }

    /// How many lines stand before the file's own test module: what a reader must hold.
    pub(crate) fn lines_without_tests(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let is_start =
            |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests");
        lines.windows(2).position(is_start).unwrap_or(lines.len())
    }

    /// Its lines with their numbers, from 1, but for those that are only a comment.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn crates(root: &Path) -> anyhow::Result<Vec<Crate>> {
    let metadata = place::metadata(root)?;
    let members: BTreeSet<String> =
        metadata.packages.iter().map(|package| package.name.to_string()).collect();
    // The root cargo tells has its links followed; the one we were given may not.
    let root = metadata.workspace_root.as_std_path();
    let crates = metadata.packages.iter().map(|package| {
        let dir = package.manifest_path.as_std_path().parent().unwrap_or(root);
        let own = package.dependencies.iter().filter(|dep| members.contains(&dep.name));
        let edge = |dep: &cargo_metadata::Dependency| Edge {
            to: dep.name.clone(),
            dev: dep.kind == DependencyKind::Development,
        };
        Crate {
            name: package.name.to_string(),
            dir: dir.strip_prefix(root).unwrap_or(dir).to_path_buf(),
            edges: own.map(edge).collect(),
        }
    });
    Ok(crates.collect())
}

impl Tree {
    /// The Markdown pages.
    pub(super) fn pages(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.extension().is_some_and(|e| e == "md"))
    }
}

impl File {
    /// The lines of a page outside its code blocks, each with its place from 0.
    pub(super) fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut in_block = false;
        self.text.lines().enumerate().filter(move |(_, line)| {
            if line.trim_start().starts_with("```") {
                in_block = !in_block;
            }
            !in_block
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_file_end_where_its_test_module_begins() {
        let text = "//! Doc.\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        let tree = Tree::of(&[("crates/x/src/a.rs", text), ("crates/x/src/b.rs", "//! B.\n")]);
        assert_eq!(tree.files[0].lines_without_tests(), 3);
        assert_eq!(tree.files[1].lines_without_tests(), 1);
    }

    #[test]
    fn test_code_is_known_by_its_place() {
        let tree = Tree::of(&[
            ("crates/x/tests/it/main.rs", ""),
            ("crates/x/src/a/tests.rs", ""),
            ("crates/x/src/tests_found.rs", ""),
        ]);
        let found: Vec<bool> = tree.files.iter().map(File::is_test).collect();
        assert_eq!(found, [true, true, false]);
    }
}
