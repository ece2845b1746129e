//! What the tests of panes stand on: a folder for logs, a supervisor, and waiting.

use std::path::{Path, PathBuf};
use std::time::Duration;

use orchflow_runtime::{Clock, Supervisor, TaskKind, ids};
use orchflow_terminal::muxd::{self, Muxd};
use orchflow_terminal::{Error, LogReader, Pane, PaneSpec, Stream};
use orchflow_types::pane::ExitStatus;

pub(crate) struct Bed {
    pub(crate) supervisor: Supervisor,
    pub(crate) logs: tempfile::TempDir,
    pub(crate) door: PathBuf,
    muxd: Muxd,
    mark: String,
}

// A test that failed leaves no process behind either.
impl Drop for Bed {
    fn drop(&mut self) {
        orchflow_runtime::process::sweep(&self.mark);
    }
}

impl Bed {
    pub(crate) fn new() -> Self {
        let (mark, supervisor, logs) =
            (ids::secret(), Supervisor::new(), tempfile::tempdir().unwrap());
        let door = logs.path().join("door");
        let listener = tokio::net::UnixListener::bind(&door).unwrap();
        supervisor.spawn(
            TaskKind::Vital,
            "muxd",
            muxd::serve(listener, supervisor.clone(), Duration::from_secs(3600)),
        );
        let bed = Self { muxd: Self::manager(&door, &supervisor), supervisor, logs, door, mark };
        std::fs::create_dir(bed.output()).unwrap();
        bed
    }

    /// The way of a manager to the holder of this bed.
    pub(crate) fn manager(door: &Path, supervisor: &Supervisor) -> Muxd {
        let options = muxd::Options { door: door.to_owned(), start: None };
        Muxd::new(options, supervisor.clone())
    }

    /// The folder of logs.
    pub(crate) fn output(&self) -> PathBuf {
        self.logs.path().join("output")
    }

    /// A script for `sh`, behind a terminal.
    pub(crate) fn spec(&self, script: &str) -> PaneSpec {
        let id = ids::mint(&Clock::system());
        let spec = PaneSpec::new(id, ["sh", "-c", script], std::env::temp_dir(), self.output());
        PaneSpec { mark: format!("{}:{id}", self.mark), ..spec }
    }

    pub(crate) async fn try_start(&self, spec: &PaneSpec) -> Result<Pane, Error> {
        self.muxd.spawn(spec.clone()).await
    }

    pub(crate) async fn start(&self, spec: &PaneSpec) -> Pane {
        self.try_start(spec).await.unwrap()
    }

    pub(crate) async fn tty(&self, script: &str) -> Pane {
        self.start(&self.spec(script)).await
    }

    pub(crate) async fn pipes(&self, script: &str) -> Pane {
        self.start(&PaneSpec { tty: false, ..self.spec(script) }).await
    }

    /// Ends everything, and fails when something does not end.
    pub(crate) async fn end(self) {
        self.supervisor.shutdown().cancel();
        within("the shutdown", self.supervisor.wait()).await;
    }
}

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(value) => value,
        Err(_) => panic!("waited too long for {what}"),
    }
}

pub(crate) async fn exit(pane: &Pane) -> ExitStatus {
    within("the exit", pane.exit()).await.status.unwrap()
}

/// All that a log has, which must have no gap.
pub(crate) fn all(log: &LogReader) -> Vec<u8> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < log.len() {
        let chunk = log.read(bytes.len() as u64, 1 << 20).unwrap();
        assert_eq!(chunk.gap_before, None);
        bytes.extend(chunk.bytes);
    }
    bytes
}

pub(crate) fn output(pane: &Pane) -> String {
    String::from_utf8_lossy(&all(pane.log(Stream::Output).unwrap())).into_owned()
}

/// Waits until the output holds `text`; answers all of it.
pub(crate) async fn until(pane: &Pane, text: &str) -> String {
    let log = pane.log(Stream::Output).unwrap();
    let seen = async {
        loop {
            let before = log.len();
            let now = output(pane);
            if now.contains(text) {
                return now;
            }
            assert!(log.wait_beyond(before).await, "the log ended without {text:?}: {now:?}");
        }
    };
    within(text, seen).await
}

/// How many descriptors this process has open, and to what.
pub(crate) fn descriptors() -> Vec<String> {
    let entries = std::fs::read_dir(Path::new("/proc/self/fd")).unwrap();
    let mut open: Vec<String> = entries
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .map(|target| target.display().to_string())
        .collect();
    open.sort();
    open
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
