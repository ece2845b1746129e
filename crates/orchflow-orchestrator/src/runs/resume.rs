//! After a restart: every run that was not finished goes on from its journal.

use orchflow_store::runs as rows;
use orchflow_types::RunId;
use orchflow_workflow::Command;

use super::actor::{Actor, load};
use crate::{Error, Orchestrator};

/// Takes over every unfinished run; answers how many. A run whose journal cannot be read
/// is said in the log and left as it is, and holds up no other.
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
    let loaded = load(cx, run_id).await?;
    let epoch = cx.store().write(move |tx| rows::claim(tx, run_id)).await?;
    Actor::new(cx.clone(), loaded).start(Vec::new(), Some(Command::Restart { epoch }));
    Ok(())
}
