//! The driver of one run: the only one who changes its state.
//!
//! Commands are applied as they come: those that wait together are written together, and
//! their transactions follow each other to the writer without waiting, so that many share
//! one fsync; but nothing of a command is performed or answered before it is committed.

mod commit;
mod fault;
mod recover;
mod show;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesOrdered, StreamExt};
use futures::{FutureExt, future::BoxFuture};
use orchflow_runtime::{CancellationToken, TaskKind, crash_point};
use orchflow_types::run::{Gate, Run};
use orchflow_types::task::Task;
use orchflow_workflow::{Action, ActionKey, Command, State};
use tokio::sync::{mpsc, oneshot};

use super::registry::{Mailbox, Message};
use crate::perform::{self, Job};
use crate::{Error, Orchestrator};

use commit::{Committed, Group, Taken};
pub(super) use fault::declare_failed;
pub(super) use recover::load;

/// The most commands one transaction holds.
const TOGETHER: usize = 128;
/// The most transactions on their way to the disk: one that is being written, and the one
/// behind it. Until one is back, commands gather in the mailbox, and the next transaction
/// is the larger for it.
const AHEAD: usize = 2;
/// How long the driver waits before it tries again to write; doubled up to the second.
const RETRY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(30)];

pub(super) struct Actor {
    cx: Orchestrator,
    state: State,
    /// The epoch this driver owns the run with, once that is on disk.
    epoch: u64,
    /// The place of the next command in the journal.
    seq: u64,
    /// What every action is told of the run; made anew only when the run itself changes,
    /// since its plan may have thousands of tasks.
    run: Arc<Run>,
    gates: Arc<[Gate]>,
    mailbox: Mailbox,
    messages: mpsc::Receiver<Message>,
    stops: HashMap<ActionKey, CancellationToken>,
    /// Actions whose outcomes were applied and are not on their way to the disk yet.
    unwritten: Vec<ActionKey>,
    /// How long to wait after the next write that fails.
    retry: Duration,
    commits: FuturesOrdered<BoxFuture<'static, Committed>>,
}

type Reply = Option<oneshot::Sender<Result<(), Error>>>;

impl Actor {
    /// A driver for a run that stands at `state`, which is on disk.
    pub(super) fn new(cx: Orchestrator, (state, seq): (State, u64)) -> Self {
        let (mailbox, messages) = cx.registry().open(state.run_id());
        let (run, gates) = (Arc::new(state.run().clone()), state.gates().into());
        Self {
            cx,
            epoch: state.epoch(),
            state,
            seq,
            run,
            gates,
            mailbox,
            messages,
            stops: HashMap::new(),
            unwritten: Vec::new(),
            retry: RETRY[0],
            commits: FuturesOrdered::new(),
        }
    }

    /// Takes the run over from a process before this one, and drives it to its end. The claim
    /// is of one transaction with the restart: until both are on disk the run is not owned,
    /// and nothing of it is performed.
    pub(super) fn take_over(mut self, epoch: u64) {
        self.epoch = epoch;
        self.start(Vec::new(), Some(Command::Restart { epoch }));
    }

    /// Drives the run to its end in a task of its own: performs what it `wanted` (which is
    /// on disk, as its state is), then takes the `first` command, if there is one.
    pub(super) fn start(self, wanted: Vec<Action>, first: Option<Command>) {
        let (cx, mailbox) = (self.cx.clone(), self.mailbox.clone());
        let supervisor = cx.supervisor().clone();
        let work = async move {
            let ended = self.live(wanted, first).await;
            cx.registry().close(&mailbox);
            ended
        };
        supervisor.spawn(TaskKind::Run, "run", work);
    }

    async fn drive(&mut self, wanted: Vec<Action>, first: Option<Command>) -> Result<(), Error> {
        for action in wanted {
            let job = self.job(action);
            self.perform(job);
        }
        if let Some(command) = first {
            self.take(command, None).await?;
        }
        let mut late = false;
        while !(self.state.status().is_final() && self.commits.is_empty()) {
            let shutdown = self.cx.supervisor().shutdown().clone();
            let due = self.due().filter(|_| !late);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return self.part().await,
                Some(committed) = self.commits.next(), if !self.commits.is_empty() => self.after(committed).await?,
                message = self.messages.recv(), if self.commits.len() < AHEAD => match message {
                    Some(message) => self.hear(message).await?,
                    None => return Ok(()),
                },
                () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => {
                    late = true;
                    self.take(Command::Deadline, None).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes a message and those that wait behind it.
    async fn hear(&mut self, first: Message) -> Result<(), Error> {
        let mut group = Group::default();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Command(command, reply) => self.apply(*command, reply, &mut group),
                Message::Pane(task, pane) => {
                    // What was applied before it is written before it.
                    self.submit(std::mem::take(&mut group)).await?;
                    self.show_pane(task, pane).await;
                }
                #[cfg(test)]
                Message::Fault => panic!("a fault on purpose"),
                Message::Planner(planner) => {
                    self.submit(std::mem::take(&mut group)).await?;
                    self.show_planner(planner).await;
                }
            }
            let room = group.taken.len() < TOGETHER && !self.state.status().is_final();
            next = if room { self.messages.try_recv().ok() } else { None };
        }
        self.submit(group).await
    }

    fn job(&self, action: Action) -> Job {
        let task = action.task;
        Job {
            orchestrator: self.cx.clone(),
            run: self.run.clone(),
            leaf: task.and_then(|task| self.state.leaf_view(task)),
            leaf_base: task.and_then(|task| self.state.leaf_base(task)).map(str::to_owned),
            onto: self.state.onto().cloned(),
            integration_head: self.state.integration_head().map(str::to_owned),
            commits: if task.is_none() { self.state.commits().to_vec() } else { Vec::new() },
            gates: self.gates.clone(),
            cancel: CancellationToken::new(),
            action,
        }
    }

    fn perform(&mut self, job: Job) {
        self.stops.insert(job.action.key.clone(), job.cancel.clone());
        let mailbox = self.mailbox.clone();
        let work = async move {
            let effect = async {
                match job.orchestrator.performer() {
                    Some(performer) => {
                        performer.perform(job.action.clone(), job.cancel.clone()).await
                    }
                    None => perform::perform(&job).await,
                }
            };
            let performed = AssertUnwindSafe(effect).catch_unwind().await;
            let command = performed.unwrap_or_else(|_| Some(perform::broken(&job)));
            crash_point!("action.performed");
            if let Some(command) = command {
                mailbox.report(command).await;
            }
            Ok::<(), Error>(())
        };
        self.cx.supervisor().spawn(TaskKind::Run, "action", work);
    }

    /// The daemon ends: what is under way is stopped, what is committed stays, and the next
    /// start goes on from there.
    async fn part(&mut self) -> Result<(), Error> {
        for stop in self.stops.values() {
            stop.cancel();
        }
        while self.commits.next().await.is_some() {}
        Ok(())
    }

    /// The rows of tasks that a plan brings into being; those of a task tree are there already.
    fn new_tasks(&self, command: &Command) -> Vec<Task> {
        let nodes = match command {
            Command::Planned { nodes, .. } | Command::Approve { plan: Some((_, nodes)) } => nodes,
            _ => return Vec::new(),
        };
        super::begin::task_rows(self.state.run(), nodes, self.cx.clock().now())
    }

    /// How long until the run's minutes are over, if it works on; none when it has no limit,
    /// and while nothing of it is under way.
    fn due(&self) -> Option<Duration> {
        let limit = u64::from(self.state.run().options.minutes) * 60_000;
        let counts = limit > 0 && self.state.is_working();
        let left = || limit.saturating_sub(self.state.worked(self.cx.clock().now()));
        counts.then(|| Duration::from_millis(left()))
    }
}

fn answer(reply: Reply, result: Result<(), Error>) {
    if let Some(reply) = reply {
        let _ = reply.send(result); // whoever asked may have gone
    }
}
