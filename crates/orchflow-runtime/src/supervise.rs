//! Supervised tasks: nothing is spawned without saying what its failure means.

use std::fmt;
use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// What a task is, and so what its error or panic does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// The daemon cannot do without it: its failure begins the shutdown.
    Vital,
    /// It belongs to one connection; its failure ends that connection.
    Connection,
    /// It belongs to one request; its failure ends that request.
    Request,
    /// It belongs to one pane; its failure ends that pane.
    Pane,
    /// It belongs to one run; its failure ends that run.
    Run,
    /// It is a service to others; its failure is logged.
    Background,
}

/// Spawns tasks, knows when to stop and waits for them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Supervisor {
    shutdown: CancellationToken,
    tracker: TaskTracker,
}

impl Supervisor {
    /// A supervisor with no tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when everything should end.
    #[must_use]
    pub const fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Runs `work` as a task called `name`. Its error is logged and acts as `kind` says.
    pub fn spawn<F, E>(&self, kind: TaskKind, name: &'static str, work: F) -> JoinHandle<()>
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        let shutdown = self.shutdown.clone();
        let guard = PanicGuard { kind, name, shutdown: shutdown.clone(), armed: true };
        let watched = async move {
            let mut guard = guard;
            let result = work.await;
            guard.armed = false;
            if let Err(error) = result {
                tracing::error!(task = name, ?kind, %error, "task failed");
                if kind == TaskKind::Vital {
                    shutdown.cancel();
                }
            }
        };
        self.tracker.spawn(watched.in_current_span())
    }

    /// Waits until every task has ended; call after cancelling [`Supervisor::shutdown`].
    pub async fn wait(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

// A panic unwinds through the task's future and drops this on its way.
struct PanicGuard {
    kind: TaskKind,
    name: &'static str,
    shutdown: CancellationToken,
    armed: bool,
}

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if self.armed && std::thread::panicking() {
            tracing::error!(task = self.name, kind = ?self.kind, "task panicked");
            if self.kind == TaskKind::Vital {
                self.shutdown.cancel();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_vital_task_that_panics_begins_the_shutdown() {
        let supervisor = Supervisor::new();
        let boom = async { panic!("on purpose") };
        supervisor.spawn::<_, std::io::Error>(TaskKind::Vital, "boom", boom);
        supervisor.shutdown().cancelled().await;
    }

    #[tokio::test]
    async fn a_request_that_fails_leaves_the_rest_alone() {
        let supervisor = Supervisor::new();
        let bad = async { Err(std::io::Error::other("on purpose")) };
        let _ = supervisor.spawn(TaskKind::Request, "bad", bad).await;
        assert!(!supervisor.shutdown().is_cancelled());
    }
}
