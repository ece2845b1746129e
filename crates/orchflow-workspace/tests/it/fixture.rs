//! A repository in a folder that goes away, and what stands in it to the byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orchflow_runtime::process::{self, Output, Spec};
use orchflow_workspace::git::Repo;

/// A folder with a repository `repo` in it and room for worktrees beside it.
pub(crate) struct Fixture {
    dir: tempfile::TempDir,
    pub(crate) root: PathBuf,
}

impl Fixture {
    /// A repository with one commit: `a.txt`, `b.txt` and `dir/c.txt`, ignoring `*.log`.
    pub(crate) async fn new() -> Self {
        let fixture = Self::empty().await;
        fixture.write("a.txt", "a\n");
        fixture.write("b.txt", "b\n");
        fixture.write("dir/c.txt", "c\n");
        fixture.write(".gitignore", "*.log\n");
        fixture.commit("first").await;
        fixture
    }

    /// A repository without a commit.
    pub(crate) async fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("repo");
        std::fs::create_dir(&root).unwrap();
        let fixture = Self { dir, root };
        fixture.git(&["init", "-q", "-b", "main"]).await;
        fixture.git(&["config", "user.name", "Ada"]).await;
        fixture.git(&["config", "user.email", "ada@example.org"]).await;
        fixture
    }

    pub(crate) async fn repo(&self) -> Repo {
        Repo::open(&self.root).await.unwrap()
    }

    /// A path beside the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        write(&self.root, name, text);
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.root.join(name)).unwrap()
    }

    pub(crate) async fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]).await;
        self.git(&["commit", "-q", "--allow-empty", "-m", message]).await;
        self.git(&["rev-parse", "HEAD"]).await
    }

    /// Git as a user would call it; it must succeed.
    pub(crate) async fn git(&self, args: &[&str]) -> String {
        git(&self.root, args).await
    }

    /// The hash of everything a user could miss: files, index, HEAD, refs, stash.
    pub(crate) fn everything(&self) -> BTreeMap<PathBuf, String> {
        let mut all = BTreeMap::new();
        gather(&self.root, &self.root, &mut all);
        // New objects and our own refs are additions nobody sees.
        all.retain(|path, _| {
            !path.starts_with(".git/objects")
                && !path.starts_with(".git/refs/orchflow")
                && !path.starts_with(".git/refs/heads/orchflow")
                && !path.starts_with(".git/logs/refs/heads/orchflow")
                && !path.starts_with(".git/worktrees")
        });
        all
    }
}

pub(crate) async fn run(cwd: &Path, argv: &[&str]) -> Output {
    let spec = Spec::new(argv.iter().copied(), cwd).env("LC_ALL", "C");
    process::output(&spec, 1 << 20, Duration::from_secs(60)).await.unwrap()
}

pub(crate) async fn git(cwd: &Path, args: &[&str]) -> String {
    let output = run(cwd, &[&["git"], args].concat()).await;
    assert!(output.status.success(), "git {args:?}: {}", output.error_text());
    output.text()
}

pub(crate) fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn gather(root: &Path, dir: &Path, all: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_owned();
        let meta = path.symlink_metadata().unwrap();
        if meta.is_dir() {
            gather(root, &path, all);
        } else if meta.is_symlink() {
            all.insert(name, std::fs::read_link(&path).unwrap().display().to_string());
        } else {
            let hash = blake3::hash(&std::fs::read(&path).unwrap());
            all.insert(name, hash.to_hex().to_string());
        }
    }
}
