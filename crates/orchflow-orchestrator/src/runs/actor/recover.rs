//! Back to the state that is on disk, when what was built on it could not be written.

use std::sync::Arc;

use futures::stream::StreamExt;
use orchflow_runtime::CancellationToken;
use orchflow_store::journal;
use orchflow_types::RunId;
use orchflow_workflow::{Action, ActionKey, Command, State, replay};

use super::{Actor, RETRY, Taken, answer};
use crate::{Error, Orchestrator};

impl Actor {
    /// The database would not take a command: who waits is told; what came of actions is
    /// kept and told again, from the state that is on disk, until it is taken.
    pub(super) async fn recover(
        &mut self,
        error: orchflow_store::Error,
        taken: Vec<Taken>,
    ) -> Result<(), Error> {
        tracing::error!(run = %self.state.run_id(), %error, "a run could not be written");
        let mut again = Vec::new();
        let mut keep = |taken: Vec<Taken>, error: &orchflow_store::Error| {
            for Taken { command, reply, .. } in taken {
                match reply {
                    Some(_) => answer(reply, Err(error.clone().into())),
                    None => again.push(command),
                }
            }
        };
        keep(taken, &error);
        while let Some(lost) = self.commits.next().await {
            keep(lost.taken, lost.result.as_ref().err().unwrap_or(&error));
        }
        if !self.reload().await {
            return Ok(());
        }
        self.perform_idle();
        for command in again {
            Box::pin(self.take(command, None)).await?;
        }
        Ok(())
    }

    /// Goes back to the state that is on disk; false when the daemon ends before it is read.
    pub(super) async fn reload(&mut self) -> bool {
        loop {
            let shutdown = self.cx.supervisor().shutdown().clone();
            tokio::select! {
                () = shutdown.cancelled() => return false,
                () = tokio::time::sleep(self.retry) => {}
            }
            self.retry = (self.retry * 2).min(RETRY[1]);
            match load(&self.cx, self.state.run_id()).await {
                Ok((state, seq)) => {
                    self.run = Arc::new(state.run().clone());
                    (self.state, self.seq) = (state, seq);
                    return true;
                }
                Err(error) => tracing::warn!(%error, "the run's journal cannot be read yet"),
            }
        }
    }

    /// Whether the state is one of this driver's: its claim of the run is in it.
    pub(super) fn owns(&self) -> bool {
        self.state.epoch() >= self.epoch
    }

    /// Performs what the state wants and nobody does. Until a restart is written, nothing is
    /// this driver's to perform: the restart hands out all of it, under its own epoch.
    pub(super) fn perform_idle(&mut self) {
        if !self.owns() {
            return;
        }
        let idle = |action: &&Action| !self.stops.contains_key(&action.key);
        let idle = self.state.in_flight().filter(idle).cloned().collect::<Vec<_>>();
        let jobs: Vec<_> = idle.into_iter().map(|action| self.job(action)).collect();
        for job in jobs {
            if self.state.is_stopped(&job.action) {
                job.cancel.cancel();
            }
            self.perform(job);
        }
    }

    /// Stops what the state does not want done any more: the word to stop may have been lost.
    pub(super) fn stop_unwanted(&mut self) {
        let state = &self.state;
        let wanted = |key: &ActionKey| state.in_flight().find(|action| action.key == *key);
        self.stops.retain(|key, stop| {
            let action = wanted(key);
            if action.is_none_or(|action| state.is_stopped(action)) {
                CancellationToken::cancel(stop);
            }
            action.is_some()
        });
    }
}

/// The state a run's journal tells, and the place of its next command.
pub(in crate::runs) async fn load(cx: &Orchestrator, run_id: RunId) -> Result<(State, u64), Error> {
    let entries = cx.store().read(move |reader| journal::replay(reader, run_id)).await?;
    let mut commands = Vec::with_capacity(entries.len());
    for entry in entries {
        let command: Command =
            serde_json::from_str(&entry.command).map_err(|_| Error::RunLost(run_id))?;
        commands.push((entry.at, command));
    }
    let seq = commands.len() as u64;
    let state = replay(commands).map_err(|error| {
        tracing::error!(run = %run_id, %error, "the journal of a run cannot be replayed");
        Error::RunLost(run_id)
    })?;
    Ok((state, seq))
}
