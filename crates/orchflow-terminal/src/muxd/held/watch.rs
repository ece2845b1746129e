//! The end of a held pane: told when its output is read, and brought about at the shutdown.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use orchflow_runtime::CancellationToken;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::{Ended, State, locked};

/// What a process is given to end by itself when everything ends.
const GRACE: Duration = Duration::from_secs(1);

/// The task that tells how a pane ended.
pub(super) struct Watch {
    pub(super) pane: Arc<State>,
    pub(super) ended: watch::Sender<Option<Ended>>,
    /// Each fails when its stream is read.
    pub(super) settled: Vec<oneshot::Receiver<()>>,
    /// Each is done when nothing holds its stream open any more.
    pub(super) drained: Vec<JoinHandle<()>>,
    /// Stops what still reads.
    pub(super) stop: CancellationToken,
    pub(super) shutdown: CancellationToken,
}

impl Watch {
    pub(super) async fn run(self) -> Result<(), Infallible> {
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
        let (output, errors) = pane.lengths();
        ended.send_replace(Some(Ended { status, output, errors }));
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
