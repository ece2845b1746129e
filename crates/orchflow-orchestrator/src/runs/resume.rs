//! After a restart: every run that was not finished goes on from its journal.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use orchflow_store::runs as rows;
use orchflow_types::RunId;

use super::actor::{Actor, declare_failed, load};
use crate::{Error, Orchestrator};

/// Takes over every unfinished run; answers how many. A run whose journal cannot be read
/// is said in the log and left as it is; one whose journal makes the machine panic has failed.
/// Neither holds up another.
///
/// # Errors
/// When the store cannot be read at all.
pub async fn resume_all(cx: &Orchestrator) -> Result<usize, Error> {
    let unfinished = cx.store().read(rows::unfinished).await?;
    let mut resumed = 0;
    for run in unfinished {
        match resume(cx, run.run_id).await {
            Ok(()) => resumed += 1,
            Err(error) => tracing::error!(run = %run.run_id, %error, "a run could not be resumed"),
        }
    }
    Ok(resumed)
}

async fn resume(cx: &Orchestrator, run_id: RunId) -> Result<(), Error> {
    let epoch = 1 + cx.store().read(move |reader| rows::epoch(reader, run_id)).await?;
    let Ok(loaded) = AssertUnwindSafe(load(cx, run_id)).catch_unwind().await else {
        let reason = "a fault of orchflow: its journal cannot be replayed".to_owned();
        declare_failed(cx, run_id, epoch, reason).await?;
        return Err(Error::RunLost(run_id));
    };
    Actor::new(cx.clone(), loaded?).take_over(epoch);
    Ok(())
}
