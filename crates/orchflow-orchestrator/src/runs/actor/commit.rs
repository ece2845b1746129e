//! From a command to what may be done of it: applied, written, and only then performed.

use std::sync::Arc;

use futures::FutureExt;
use orchflow_runtime::{CancellationToken, crash_point};
use orchflow_workflow::{ActionKey, Command, Effects, Refused, apply};

use super::{Actor, RETRY, Reply, answer};
use crate::Error;
use crate::perform::Job;
use crate::runs::record::Record;

/// Commands that were applied and are written together, in their order.
#[derive(Default)]
pub(super) struct Group {
    pub(super) records: Vec<Record>,
    pub(super) taken: Vec<Taken>,
}

/// A command that was applied, and what is to come of it once it is on disk; or one that was
/// refused by a state that is not on disk yet: nobody hears of that state before it is.
pub(super) struct Taken {
    pub(super) command: Command,
    pub(super) jobs: Vec<Job>,
    pub(super) stop: Vec<ActionKey>,
    /// Actions whose outcome is not awaited any more.
    pub(super) settled: Vec<ActionKey>,
    pub(super) reply: Reply,
    pub(super) refused: Option<Refused>,
}

/// Commands on their way to the disk, or back from it.
pub(super) struct Committed {
    pub(super) result: Result<(), orchflow_store::Error>,
    pub(super) taken: Vec<Taken>,
}

impl Actor {
    /// Applies one command and sends its transaction on its way.
    pub(super) async fn take(&mut self, command: Command, reply: Reply) -> Result<(), Error> {
        let mut group = Group::default();
        self.apply(command, reply, &mut group);
        self.submit(group).await
    }

    pub(super) fn apply(&mut self, command: Command, reply: Reply, group: &mut Group) {
        let at = self.cx.clock().now();
        if let Command::Done { key, .. } = &command {
            self.unwritten.push(key.clone());
        }
        let effects = match apply(&mut self.state, at, command.clone()) {
            Ok(effects) => effects,
            Err(refused) => {
                tracing::debug!(run = %self.state.run_id(), %refused, "refused");
                if reply.is_some() {
                    let (jobs, stop, settled) = (Vec::new(), Vec::new(), Vec::new());
                    let refused = Some(refused);
                    group.taken.push(Taken { command, jobs, stop, settled, reply, refused });
                }
                return;
            }
        };
        if effects.run_changed {
            self.run = Arc::new(self.state.run().clone());
        }
        let record = Record::new(&self.state, at, self.seq, &command, &effects)
            .with_tasks(self.new_tasks(&command));
        self.seq += 1;
        let Effects { actions, stop, settled, .. } = effects;
        let jobs = actions.into_iter().map(|action| self.job(action)).collect();
        group.records.push(record);
        group.taken.push(Taken { command, jobs, stop, settled, reply, refused: None });
    }

    pub(super) async fn submit(&mut self, group: Group) -> Result<(), Error> {
        let Group { records, taken } = group;
        if taken.is_empty() {
            return Ok(());
        }
        if records.is_empty() {
            // Refusals alone: they go out behind the transactions that are on their way.
            let behind = std::future::ready(Committed { result: Ok(()), taken });
            self.commits.push_back(behind.boxed());
            return Ok(());
        }
        crash_point!("run.before_commit");
        let write = move |tx: &mut orchflow_store::Tx<'_>| Record::write(records, tx);
        let receipt = self.cx.store().submit(write).await?;
        self.unwritten.clear();
        let committed = async move { Committed { result: receipt.await, taken } };
        self.commits.push_back(committed.boxed());
        Ok(())
    }

    /// What is committed may be done and told.
    pub(super) async fn after(&mut self, committed: Committed) -> Result<(), Error> {
        if let Err(error) = committed.result {
            if matches!(error, orchflow_store::Error::Fenced { .. }) {
                // It is another's now, and that one performs what it wants.
                self.stops.values().for_each(CancellationToken::cancel);
                return Err(error.into());
            }
            return self.recover(error, committed.taken).await;
        }
        self.retry = RETRY[0];
        if committed.taken.iter().any(|taken| taken.refused.is_none()) {
            crash_point!("run.after_commit");
        }
        for taken in committed.taken {
            if let Some(refused) = taken.refused {
                answer(taken.reply, Err(refused.into()));
                continue;
            }
            if let Command::Done { key, .. } = &taken.command {
                self.stops.remove(key);
            }
            for key in &taken.stop {
                if let Some(stop) = self.stops.get(key) {
                    stop.cancel();
                }
            }
            for key in &taken.settled {
                self.stops.remove(key);
            }
            for job in taken.jobs {
                // What was stopped before a restart is handed out again only for its outcome.
                if taken.stop.contains(&job.action.key) {
                    job.cancel.cancel();
                }
                self.perform(job);
            }
            answer(taken.reply, Ok(()));
        }
        Ok(())
    }
}
