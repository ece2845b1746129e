//! Who drives which run, and how to reach them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use orchflow_types::run::Planner;
use orchflow_types::{PaneId, RunId, TaskId};
use orchflow_workflow::Command;
use tokio::sync::{mpsc, oneshot};

use crate::Error;

/// Messages that may wait for one run before who sends them waits.
const WAITING: usize = 1024;

/// The mailboxes of all runs that are not finished.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<HashMap<RunId, Mailbox>>);

/// Where one run is told things.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    run_id: RunId,
    sender: mpsc::Sender<Message>,
}

/// What a run's driver is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// A command; whoever waits hears whether it was taken and committed.
    Command(Box<Command>, Option<oneshot::Sender<Result<(), Error>>>),
    /// A leaf has a pane to look at.
    Pane(TaskId, PaneId),
    /// An architect is at work on the plan.
    Planner(Planner),
    /// The driver panics.
    #[cfg(test)]
    Fault,
}

impl Registry {
    /// A mailbox for a run that begins to be driven.
    pub(super) fn open(&self, run_id: RunId) -> (Mailbox, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let mailbox = Mailbox { run_id, sender };
        self.lock().insert(run_id, mailbox.clone());
        (mailbox, receiver)
    }

    /// Closes the mailbox of a driver that has ended, if it is still the run's.
    pub(super) fn close(&self, mailbox: &Mailbox) {
        let mut open = self.lock();
        if open.get(&mailbox.run_id).is_some_and(|now| now.sender.same_channel(&mailbox.sender)) {
            open.remove(&mailbox.run_id);
        }
    }

    pub(super) fn mailbox(&self, run_id: RunId) -> Option<Mailbox> {
        self.lock().get(&run_id).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Mailbox>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailbox {
    /// Tells the run a command and waits until it is committed.
    pub(super) async fn tell(&self, command: Command) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let gone = || Error::RunLost(self.run_id);
        self.sender
            .send(Message::Command(Box::new(command), Some(reply)))
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Tells the run what came of an action; nobody waits for that.
    pub(super) async fn report(&self, command: Command) {
        let _ = self.sender.send(Message::Command(Box::new(command), None)).await; // the run may have ended
    }

    #[cfg(test)]
    pub(super) async fn break_it(&self) {
        let _ = self.sender.send(Message::Fault).await;
    }

    pub(super) fn show_pane(&self, task_id: TaskId, pane: PaneId) {
        // A full mailbox only means that the pane is seen with the leaf's next change.
        let _ = self.sender.try_send(Message::Pane(task_id, pane));
    }

    pub(super) fn show_planner(&self, planner: Planner) {
        // As above, and a plan that is there is seen better than who made it.
        let _ = self.sender.try_send(Message::Planner(planner));
    }
}
