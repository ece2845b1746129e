//! What the tests of panes stand on: a folder for logs, a supervisor, and waiting.

use std::path::Path;
use std::time::Duration;

use orchflow_runtime::{Clock, Supervisor, ids};
use orchflow_terminal::{LogReader, Pane, PaneSpec, Stream, native};
use orchflow_types::pane::ExitStatus;

pub(crate) struct Bed {
    pub(crate) supervisor: Supervisor,
    pub(crate) logs: tempfile::TempDir,
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
        let mark = ids::secret();
        Self { supervisor: Supervisor::new(), logs: tempfile::tempdir().unwrap(), mark }
    }

    /// A script for `sh`, behind a terminal.
    pub(crate) fn spec(&self, script: &str) -> PaneSpec {
        let id = ids::mint(&Clock::system());
        let spec = PaneSpec::new(id, ["sh", "-c", script], std::env::temp_dir(), self.logs.path());
        PaneSpec { mark: format!("{}:{id}", self.mark), ..spec }
    }

    pub(crate) fn start(&self, spec: &PaneSpec) -> Pane {
        native::spawn(spec, &self.supervisor).unwrap()
    }

    pub(crate) fn tty(&self, script: &str) -> Pane {
        self.start(&self.spec(script))
    }

    pub(crate) fn pipes(&self, script: &str) -> Pane {
        self.start(&PaneSpec { tty: false, ..self.spec(script) })
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
    within("the exit", pane.exit()).await
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
