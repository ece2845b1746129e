//! The driver of one run: the only one who changes its state.
//!
//! Commands are applied as they come: those that wait together are written together, and
//! their transactions follow each other to the writer without waiting, so that many share
//! one fsync; but nothing of a command is performed or answered before it is committed.

mod fault;
mod show;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesOrdered, StreamExt};
use futures::{FutureExt, future::BoxFuture};
use orchflow_runtime::{CancellationToken, TaskKind, crash_point};
use orchflow_store::journal;
use orchflow_types::run::{Gate, Run};
use orchflow_types::task::Task;
use orchflow_workflow::{Action, ActionKey, Command, Effects, Refused, State, apply, replay};
use tokio::sync::{mpsc, oneshot};

use super::record::Record;
use super::registry::{Mailbox, Message};
use crate::perform::{self, Job};
use crate::{Error, Orchestrator};

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

/// Commands that were applied and are written together, in their order.
#[derive(Default)]
struct Group {
    records: Vec<Record>,
    taken: Vec<Taken>,
}

/// A command that was applied, and what is to come of it once it is on disk; or one that was
/// refused by a state that is not on disk yet: nobody hears of that state before it is.
struct Taken {
    command: Command,
    jobs: Vec<Job>,
    stop: Vec<ActionKey>,
    /// Actions whose outcome is not awaited any more.
    settled: Vec<ActionKey>,
    reply: Reply,
    refused: Option<Refused>,
}

/// Commands on their way to the disk, or back from it.
struct Committed {
    result: Result<(), orchflow_store::Error>,
    taken: Vec<Taken>,
}

impl Actor {
    /// A driver for a run that stands at `state`, which is on disk.
    pub(super) fn new(cx: Orchestrator, (state, seq): (State, u64)) -> Self {
        let (mailbox, messages) = cx.registry().open(state.run_id());
        let (run, gates) = (Arc::new(state.run().clone()), state.gates().into());
        Self {
            cx,
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

    /// Applies one command and sends its transaction on its way.
    async fn take(&mut self, command: Command, reply: Reply) -> Result<(), Error> {
        let mut group = Group::default();
        self.apply(command, reply, &mut group);
        self.submit(group).await
    }

    fn apply(&mut self, command: Command, reply: Reply, group: &mut Group) {
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

    async fn submit(&mut self, group: Group) -> Result<(), Error> {
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
    async fn after(&mut self, committed: Committed) -> Result<(), Error> {
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
                self.perform(job);
            }
            answer(taken.reply, Ok(()));
        }
        Ok(())
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
                    Some(performer) => performer.perform(job.action.clone()).await,
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

    /// The database would not take a command: who waits is told; what came of actions is
    /// kept and told again, from the state that is on disk, until it is taken.
    async fn recover(
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
        // Until a restart is written, nothing is this driver's to perform: the restart hands
        // out all of it, under its own epoch.
        if !again.iter().any(|command| matches!(command, Command::Restart { .. })) {
            self.perform_idle();
        }
        for command in again {
            Box::pin(self.take(command, None)).await?;
        }
        Ok(())
    }

    /// Goes back to the state that is on disk; false when the daemon ends before it is read.
    async fn reload(&mut self) -> bool {
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

    /// Performs what the state wants and nobody does.
    fn perform_idle(&mut self) {
        let idle = |action: &&Action| !self.stops.contains_key(&action.key);
        for action in self.state.in_flight().filter(idle).cloned().collect::<Vec<_>>() {
            let job = self.job(action);
            self.perform(job);
        }
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

/// The state a run's journal tells, and the place of its next command.
pub(super) async fn load(
    cx: &Orchestrator,
    run_id: orchflow_types::RunId,
) -> Result<(State, u64), Error> {
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

fn answer(reply: Reply, result: Result<(), Error>) {
    if let Some(reply) = reply {
        let _ = reply.send(result); // whoever asked may have gone
    }
}
