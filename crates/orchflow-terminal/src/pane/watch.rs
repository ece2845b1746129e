//! The end of a pane: told when its output is read, and brought about at the shutdown.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use orchflow_runtime::CancellationToken;
use orchflow_types::pane::ExitStatus;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::{State, locked};

/// What a process is given to end by itself when everything ends.
const GRACE: Duration = Duration::from_secs(1);

/// The task that tells how a pane ended.
pub(crate) struct Watch {
    pub(crate) pane: Arc<State>,
    pub(crate) ended: watch::Sender<Option<ExitStatus>>,
    /// Each fails when its stream is read.
    pub(crate) settled: Vec<oneshot::Receiver<()>>,
    /// Each is done when nothing holds its stream open any more.
    pub(crate) drained: Vec<JoinHandle<()>>,
    /// Stops what still reads.
    pub(crate) stop: CancellationToken,
    pub(crate) shutdown: CancellationToken,
}

impl Watch {
    pub(crate) async fn run(self) -> Result<(), Infallible> {
        let Self { pane, ended, settled, drained, stop, shutdown } = self;
        let mut exit = pane.process.clone();
        tokio::select! {
            _ = exit.wait() => {}
            () = shutdown.cancelled() => pane.end_tree(GRACE).await,
        }
        let status = exit.wait().await;
        for stream in settled {
            let _ = stream.await;
        }
        pane.input.shut();
        *locked(&pane.master) = None;
        ended.send_replace(Some(status));
        // What the process left running may print until everything ends.
        let all_drained = async {
            for drain in drained {
                let _ = drain.await;
            }
        };
        tokio::select! {
            () = all_drained => {}
            () = shutdown.cancelled() => {
                pane.end_tree(Duration::ZERO).await;
                stop.cancel();
            }
        }
        Ok(())
    }
}
