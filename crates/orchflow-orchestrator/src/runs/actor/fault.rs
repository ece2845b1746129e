//! When the driver of a run itself fails: the run ends and says so, and nothing else does.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::stream::StreamExt;
use orchflow_runtime::CancellationToken;
use orchflow_store::runs::LeafRow;
use orchflow_store::{Tx, events, runs as rows, tasks};
use orchflow_types::event::NewEvent;
use orchflow_types::run::RunStatus;
use orchflow_types::task::TaskStatus;
use orchflow_types::{EventType, RunId, Timestamp};
use orchflow_workflow::{Action, Command};
use serde_json::json;

use super::{Actor, Committed, answer};
use crate::{Error, Orchestrator};

impl Actor {
    /// Drives the run. A panic on the way ends it as it would be cancelled: agents are
    /// stopped, their work is saved, what was merged lands. When that panics too, the run is
    /// declared failed as it lies.
    pub(super) async fn live(
        mut self,
        wanted: Vec<Action>,
        first: Option<Command>,
    ) -> Result<(), Error> {
        let driven = AssertUnwindSafe(self.drive(wanted, first)).catch_unwind().await;
        let reason = match driven {
            Ok(ended) => return ended,
            Err(panic) => format!("a fault of orchflow stopped the run: {}", words(&*panic)),
        };
        tracing::error!(run = %self.state.run_id(), %reason, "the driver of a run panicked");
        let ended = AssertUnwindSafe(self.wind_down(reason.clone())).catch_unwind().await;
        match ended {
            Ok(ended) => ended,
            Err(_) => {
                self.stops.values().for_each(CancellationToken::cancel);
                declare_failed(&self.cx, self.state.run_id(), self.epoch, reason).await
            }
        }
    }

    /// Ends the run from the state that is on disk.
    async fn wind_down(&mut self, reason: String) -> Result<(), Error> {
        if !self.regain().await {
            return self.part().await;
        }
        if !self.owns() {
            // Nothing can be written before the run is taken over.
            self.take(Command::Restart { epoch: self.epoch }, None).await?;
        }
        self.drive(Vec::new(), Some(Command::Broken { reason })).await
    }

    /// Goes back to what is on disk. An action whose outcome got lost is performed again
    /// under its key; callers whose command got lost have been told by the end of their wait.
    /// False when the daemon ends first.
    async fn regain(&mut self) -> bool {
        let mut lost = std::mem::take(&mut self.unwritten);
        while let Some(Committed { result, taken }) = self.commits.next().await {
            for taken in taken {
                if let Command::Done { key, .. } = taken.command {
                    lost.push(key);
                }
                let told = match taken.refused {
                    Some(refused) => Err(refused.into()),
                    None => result.clone().map_err(Error::from),
                };
                answer(taken.reply, told);
            }
        }
        for key in lost {
            self.stops.remove(&key);
        }
        let is_read = self.reload().await;
        if is_read {
            self.stop_unwanted();
            self.perform_idle();
        }
        is_read
    }
}

/// Nothing can be told to the machine of this run any more: its rows say that it failed.
/// The journal stays as it is; nobody replays that of a run which has ended. `epoch` is that
/// of who says so, who may not have come to claim the run.
///
/// # Errors
/// [`orchflow_store::Error::Fenced`] when another has taken the run over.
pub(in crate::runs) async fn declare_failed(
    cx: &Orchestrator,
    run_id: RunId,
    epoch: u64,
    reason: String,
) -> Result<(), Error> {
    let at = cx.clock().now();
    let write = move |tx: &mut Tx<'_>| {
        if rows::epoch(tx, run_id)? < epoch {
            rows::claim(tx, run_id, epoch)?;
        }
        rows::fence(tx, run_id, epoch)?;
        fail(tx, run_id, at, &reason)
    };
    Ok(cx.store().write(write).await?)
}

fn fail(
    tx: &mut Tx<'_>,
    run_id: RunId,
    at: Timestamp,
    reason: &str,
) -> Result<(), orchflow_store::Error> {
    let Some(mut run) = rows::get(tx, run_id)?.filter(|run| !run.status.is_final()) else {
        return Ok(());
    };
    for (place, leaf) in run.leaves.iter_mut().enumerate() {
        if !leaf.status.is_final() {
            leaf.status = TaskStatus::Failed;
            leaf.reason = Some(reason.to_owned());
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            rows::upsert_leaf(tx, run_id, &LeafRow::new(place, leaf))?;
            tasks::set_status(tx, leaf.task_id, TaskStatus::Failed, at)?;
        }
    }
    run.status = RunStatus::Failed;
    run.reason = Some(reason.to_owned());
    run.finished_at = Some(at);
    rows::upsert(tx, &run)?;
    tasks::set_status(tx, run.task_id, TaskStatus::Failed, at)?;
    let finished = NewEvent {
        kind: EventType::RunFinished,
        about: run_id.to_string(),
        within: vec![run.task_id.to_string()],
        data: json!({
            "run_id": run_id, "status": run.status, "reason": reason, "kind": "internal",
            "merged": false, "commits": [],
        }),
    };
    crate::attention::withdraw_all(tx, run_id, at)?;
    events::append(tx, at, [finished]).map(drop)
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it said nothing")
}
