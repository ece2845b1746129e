//! What the tests stand on: a home with a store and a manager, and a repository when asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orchflow_manager::{Manager, Options, OutputReader, panes};
use orchflow_protocol::pane::{CreateParams, Output, PaneParams, ReadParams, ReadResult, What};
use orchflow_protocol::stream::decode;
use orchflow_runtime::process::{self, Spec};
use orchflow_runtime::{Clock, Supervisor, TaskKind, ids};
use orchflow_store::{Store, events};
use orchflow_terminal::muxd;
use orchflow_types::pane::PaneInfo;
use orchflow_types::{Cursor, Event, EventType, PaneId};

pub(crate) struct Bed {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) mark: String,
    pub(crate) store: Store,
    pub(crate) manager: Manager,
    /// What the holder of terminals runs under: it outlives the managers.
    _holder: Supervisor,
}

// A test that failed leaves no process behind either.
impl Drop for Bed {
    fn drop(&mut self) {
        process::sweep(&self.mark);
    }
}

impl Bed {
    pub(crate) fn new() -> Self {
        let (dir, mark) = (tempfile::tempdir().unwrap(), ids::secret());
        let holder = Supervisor::new();
        let door = tokio::net::UnixListener::bind(door(dir.path())).unwrap();
        holder.spawn(
            TaskKind::Vital,
            "muxd",
            muxd::serve(door, holder.clone(), Duration::from_secs(3600)),
        );
        let (store, manager) = start(dir.path(), &mark);
        Self { dir, mark, store, manager, _holder: holder }
    }

    /// The path of the home, without links.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    /// Another daemon on the same home; the one before is closed.
    pub(crate) async fn restart(&mut self) {
        self.store.close().await.unwrap();
        (self.store, self.manager) = start(self.dir.path(), &self.mark);
    }

    pub(crate) async fn create(&self, params: CreateParams) -> PaneId {
        panes::create(self.manager.clone(), params).await.unwrap().pane_id
    }

    pub(crate) async fn info(&self, pane_id: PaneId) -> PaneInfo {
        panes::info(self.manager.clone(), PaneParams { pane_id }).await.unwrap()
    }

    pub(crate) async fn read(&self, pane_id: PaneId, what: What, output: Output) -> ReadResult {
        let params = ReadParams { pane_id, what, output, from: 0, limit: None };
        panes::read(self.manager.clone(), params).await.unwrap()
    }

    /// All of one output as text, at once.
    pub(crate) async fn text(&self, pane_id: PaneId, output: Output) -> String {
        let read = self.read(pane_id, What::Raw, output).await;
        String::from_utf8(decode(&read.bytes).unwrap()).unwrap()
    }

    pub(crate) async fn reader(&self, pane_id: PaneId) -> OutputReader {
        panes::open_output(self.manager.clone(), pane_id, Output::Output, 0).await.unwrap()
    }

    /// Waits until a pane has printed `text`; answers all it printed so far.
    pub(crate) async fn until(&self, pane_id: PaneId, text: &str) -> String {
        let mut reader = self.reader(pane_id).await;
        let mut seen = String::new();
        while !seen.contains(text) {
            let piece = within(text, reader.next()).await.unwrap();
            let piece = piece.unwrap_or_else(|| panic!("it ended without {text:?}: {seen:?}"));
            seen.push_str(&String::from_utf8_lossy(&piece.bytes));
        }
        seen
    }

    /// Waits for the event that a pane has ended.
    pub(crate) async fn exit(&self, pane_id: PaneId) -> Event {
        let mut bell = self.store.bell();
        let told = async {
            loop {
                if let Some(event) = self.events(pane_id, EventType::PaneExit).into_iter().next() {
                    return event;
                }
                bell.changed().await.unwrap();
            }
        };
        within("the end of a pane", told).await
    }

    pub(crate) fn events(&self, pane_id: PaneId, kind: EventType) -> Vec<Event> {
        let filter = events::Filter { types: vec![kind], about: Some(pane_id.to_string()) };
        let page = self.store.read_blocking(|tx| events::after(tx, Cursor(0), &filter, 100));
        page.unwrap().events
    }
}

fn door(home: &Path) -> PathBuf {
    home.join("muxd.sock")
}

fn start(home: &Path, mark: &str) -> (Store, Manager) {
    let clock = Clock::system();
    let (store, _) = Store::open(&home.join("state.db"), clock.now()).unwrap();
    let manager = Manager::new(Options {
        store: store.clone(),
        clock,
        supervisor: Supervisor::new(),
        logs: home.join("logs"),
        worktrees: home.join("worktrees"),
        mark: mark.to_owned(),
        shell: "/bin/sh".to_owned(),
        muxd: muxd::Options { door: door(home), start: None },
    });
    (store, manager)
}

/// A script for `sh`, behind three pipes.
pub(crate) fn pipes(script: &str) -> CreateParams {
    CreateParams { tty: false, ..tty(script) }
}

/// A script for `sh`, behind a terminal.
pub(crate) fn tty(script: &str) -> CreateParams {
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    CreateParams { command, cwd: Some("/".to_owned()), tty: true, ..CreateParams::default() }
}

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(value) => value,
        Err(_) => panic!("waited too long for {what}"),
    }
}

/// Lets other tasks run until `done`.
pub(crate) async fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let looked = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    within(what, looked).await;
}

/// A repository `repo` in a bed, with a commit of `a.txt` and `b.txt`, ignoring `*.log`.
pub(crate) async fn repository(bed: &Bed) -> PathBuf {
    let root = bed.path().join("repo");
    std::fs::create_dir(&root).unwrap();
    git(&root, &["init", "-q", "-b", "main"]).await;
    git(&root, &["config", "user.name", "Ada"]).await;
    git(&root, &["config", "user.email", "ada@example.org"]).await;
    write(&root, "a.txt", "a\n");
    write(&root, "b.txt", "b\n");
    write(&root, ".gitignore", "*.log\n");
    git(&root, &["add", "-A"]).await;
    git(&root, &["commit", "-q", "-m", "first"]).await;
    root
}

/// Git as a user would call it; it must succeed.
pub(crate) async fn git(cwd: &Path, args: &[&str]) -> String {
    let argv = [&["git"], args].concat();
    let spec = Spec::new(argv, cwd).env("LC_ALL", "C").env("GIT_EDITOR", "true");
    let output = process::output(&spec, 1 << 20, Duration::from_secs(60)).await.unwrap();
    assert!(output.status.success(), "git {args:?}: {}", output.error_text());
    output.text()
}

pub(crate) fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The content of all files below a folder, but for git's objects and what is ours.
pub(crate) fn everything(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.insert(
                    path.strip_prefix(root).unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    let added = [".git/objects", ".git/refs/orchflow", ".git/orchflow", ".git/worktrees"];
    all.retain(|path, _| !added.iter().any(|folder| path.starts_with(folder)));
    all
}
