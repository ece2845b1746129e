//! What one command changes, written in one transaction: journal line, views, task rows,
//! actions, events.

use orchflow_store::events::EventRow;
use orchflow_store::runs::LeafRow;
use orchflow_store::{Tx, actions, events, journal, runs, tasks};
use orchflow_types::run::Run;
use orchflow_types::task::{Task, TaskStatus};
use orchflow_types::{RunId, TaskId, Timestamp};
use orchflow_workflow::{Action, Command, Effects, State};

use crate::attention::{self, APPROVE, REJECT};

/// Places among a run's actions that one command has for those it wants.
const ACTIONS: u64 = 1 << 32;

/// Everything of one command that has to be durable before its actions are performed.
pub(super) struct Record {
    run_id: RunId,
    /// The epoch of who writes this.
    epoch: u64,
    at: Timestamp,
    seq: u64,
    command: String,
    run: Option<Run>,
    leaves: Vec<LeafRow>,
    statuses: Vec<(TaskId, TaskStatus)>,
    new_tasks: Vec<Task>,
    /// Actions that are pending no longer.
    finished: Vec<(String, u64)>,
    /// Set when a new process takes the run over: its epoch.
    taken_over: Option<u64>,
    /// Set when the plan changed: the leaves it has now.
    leaves_now: Option<Vec<TaskId>>,
    /// Set when the plan was decided on: the answer to the question about it.
    decided: Option<&'static str>,
    actions: Vec<actions::Action>,
    events: Vec<EventRow>,
}

impl Record {
    /// The record of `command`, the `seq`-th of the run's journal, which brought the run to `state` with `effects`.
    pub(super) fn new(
        state: &State,
        at: Timestamp,
        seq: u64,
        command: &Command,
        effects: &Effects,
    ) -> Self {
        let leaf =
            |task: &TaskId| Some(LeafRow::new(state.position(*task)?, &state.leaf_view(*task)?));
        let status = |task: TaskId| Some((task, state.task_status(task)?));
        let root = effects.run_changed.then_some(state.run().task_id);
        let mut finished: Vec<_> =
            effects.settled.iter().map(|key| (key.to_string(), state.epoch())).collect();
        if let Command::Done { key, epoch, .. } = command {
            finished.push((key.to_string(), *epoch));
        }
        let taken_over = if let Command::Restart { epoch } = command { Some(*epoch) } else { None };
        let decided = match command {
            Command::Approve { .. } => Some(APPROVE),
            Command::Reject { .. } => Some(REJECT),
            _ => None,
        };
        let replanned = matches!(command, Command::Approve { plan: Some(_) });
        Self {
            run_id: state.run_id(),
            epoch: state.epoch(),
            at,
            seq,
            command: json(command),
            run: effects.run_changed.then(|| state.run().clone()),
            leaves: effects.touched.iter().filter_map(leaf).collect(),
            statuses: effects.touched.iter().copied().chain(root).filter_map(status).collect(),
            new_tasks: Vec::new(),
            finished,
            taken_over,
            decided,
            leaves_now: replanned.then(|| state.leaves().map(|leaf| leaf.task_id).collect()),
            actions: (seq * ACTIONS..)
                .zip(&effects.actions)
                .map(|(ordinal, action)| row(state.run_id(), ordinal, action))
                .collect(),
            events: effects.events.iter().cloned().map(EventRow::from).collect(),
        }
    }

    /// Tasks that come into being with this command, parents before children.
    pub(super) fn with_tasks(mut self, tasks: Vec<Task>) -> Self {
        self.new_tasks = tasks;
        self
    }

    /// Writes the records of one run, which follow each other and are of one epoch.
    ///
    /// # Errors
    /// [`orchflow_store::Error::Fenced`] when another has taken the run over.
    pub(super) fn write(records: Vec<Self>, tx: &mut Tx<'_>) -> Result<(), orchflow_store::Error> {
        if let Some(first) = records.first() {
            match first.taken_over {
                Some(epoch) => runs::claim(tx, first.run_id, epoch)?,
                None if first.seq > 0 => runs::fence(tx, first.run_id, first.epoch)?,
                None => {} // the first line makes the run's row
            }
            let commands = records.iter().map(|record| (record.at, record.command.as_str()));
            journal::append(tx, first.run_id, first.seq, commands)?;
        }
        records.into_iter().try_for_each(|record| record.write_changes(tx))
    }

    /// Writes what came of the command.
    fn write_changes(self, tx: &mut Tx<'_>) -> Result<(), orchflow_store::Error> {
        for task in &self.new_tasks {
            if tasks::get(tx, task.id)?.is_none() {
                tasks::insert(tx, task, Some(self.run_id))?;
            }
        }
        if let Some(run) = &self.run {
            runs::upsert(tx, run)?;
        }
        for leaf in &self.leaves {
            runs::upsert_leaf(tx, self.run_id, leaf)?;
        }
        for (task, status) in &self.statuses {
            tasks::set_status(tx, *task, *status, self.at)?;
        }
        for (key, epoch) in &self.finished {
            actions::finish(tx, key, *epoch)?;
        }
        if let Some(epoch) = self.taken_over {
            actions::take_over(tx, self.run_id, epoch)?;
        }
        if let Some(leaves) = &self.leaves_now {
            for gone in runs::retain_leaves(tx, self.run_id, leaves)? {
                tasks::set_status(tx, gone, TaskStatus::Cancelled, self.at)?;
            }
        }
        for action in &self.actions {
            actions::insert(tx, action)?;
        }
        events::append(tx, self.at, self.events)?;
        if let Some(answer) = self.decided {
            attention::settle_plan(tx, self.run_id, answer, self.at)?;
        }
        if self.run.is_some_and(|run| run.status.is_final()) {
            attention::withdraw_all(tx, self.run_id, self.at)?;
        }
        Ok(())
    }
}

fn row(run_id: RunId, ordinal: u64, action: &Action) -> actions::Action {
    actions::Action {
        key: action.key.to_string(),
        run_id,
        epoch: action.epoch,
        ordinal,
        payload: json(action),
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("commands and actions are plain data with text keys")
}
