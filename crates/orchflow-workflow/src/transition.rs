//! One command on its way through the state: what it changes, and the effects it gathers.
//!
//! Every part of the machine (plan, chain, merge queue, endings) is a set of methods on
//! [`Transition`], each in its own file. What is told and stored is settled once, when the
//! command is through: one event for each task it touched, however often it did.

use std::collections::BTreeSet;

use orchflow_types::Timestamp;
use orchflow_types::run::RunStatus;

use crate::action::{Action, ActionKey, Effects, Step};
use crate::state::{Held, LeafState, Phase, State};

/// A command under way.
pub(crate) struct Transition<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) at: Timestamp,
    pub(crate) effects: Effects,
    /// Nodes of the tree whose view changed.
    pub(crate) touched: BTreeSet<u32>,
    /// Whether the tree itself is new, so that every node has to be stored.
    pub(crate) tree_is_new: bool,
    /// A node whose event also tells what was seen around its turn.
    pub(crate) noticed: Option<(u32, String)>,
    status_before: RunStatus,
}

impl<'a> Transition<'a> {
    pub(crate) fn new(state: &'a mut State, at: Timestamp) -> Self {
        let status_before = state.run.status;
        Self {
            state,
            at,
            effects: Effects::default(),
            touched: BTreeSet::new(),
            tree_is_new: false,
            noticed: None,
            status_before,
        }
    }

    /// The command is through: tells what it changed.
    pub(crate) fn close(mut self) -> Effects {
        self.refresh_status();
        let working = self.state.is_working();
        self.state.worked.pass(self.at, working);
        for node in std::mem::take(&mut self.touched) {
            self.tell_task(node);
            self.effects.touched.push(self.state.tree.task(node));
        }
        if self.tree_is_new {
            self.effects.touched = self.state.tree.tasks().collect();
        }
        if self.state.run.status != self.status_before {
            self.effects.run_changed = true;
            self.tell_phase(self.status_before);
        }
        if self.state.phase == Phase::Finished {
            self.tell_finished();
        }
        self.effects
    }

    fn refresh_status(&mut self) {
        self.state.run.status = match self.state.phase {
            Phase::Finished => return, // How it ended was settled when it finished.
            _ if self.state.desk.paused => RunStatus::Paused,
            Phase::Planning => RunStatus::Planning,
            Phase::AwaitingApproval => RunStatus::AwaitingApproval,
            Phase::Opening | Phase::Working => RunStatus::Running,
            Phase::Landing => RunStatus::Landing,
        };
    }

    /// The leaf at `place`, about to be changed.
    pub(crate) fn leaf(&mut self, place: u32) -> &mut LeafState {
        let leaf = &mut self.state.leaves[place as usize];
        self.touched.insert(leaf.node);
        leaf
    }

    /// Adds a line to what the report tells of a leaf.
    pub(crate) fn note(&mut self, place: u32, note: String) {
        self.leaf(place).view.notes.push(note);
    }

    /// Hands out a step of the whole run, or holds it while the run is paused.
    pub(crate) fn issue_for_run(&mut self, step: Step) {
        if self.state.desk.paused {
            self.state.desk.held.push_back(Held { leaf: None, step });
            return;
        }
        let n = self.state.desk.issued;
        self.state.desk.issued += 1;
        let key = ActionKey::new(self.state.run.run_id, &step, n);
        self.hand_out(Action { key, epoch: self.state.desk.epoch, task: None, step });
    }

    /// Hands out the next step of a leaf, or holds it while the run is paused. When the
    /// run is ending, the leaf's way ends here instead.
    pub(crate) fn issue(&mut self, place: u32, step: Step) {
        if self.state.ending.is_some() && step != Step::Clean {
            self.conclude_by_ending(place);
            return;
        }
        if self.state.desk.paused {
            self.state.desk.held.push_back(Held { leaf: Some(place), step });
            return;
        }
        let epoch = self.state.desk.epoch;
        let leaf = self.leaf(place);
        let task = leaf.view.task_id;
        let key = ActionKey::new(task, &step, leaf.issued);
        leaf.issued += 1;
        leaf.busy = true;
        self.hand_out(Action { key, epoch, task: Some(task), step });
    }

    /// Hands out the wait for room; it is what a pause is for, and so never held itself.
    pub(crate) fn await_room(&mut self) {
        let waits = self.state.desk.waits;
        self.state.desk.waits += 1;
        let step = Step::AwaitRoom { waits };
        let key = ActionKey::new(self.state.run.run_id, &step, waits);
        self.hand_out(Action { key, epoch: self.state.desk.epoch, task: None, step });
    }

    fn hand_out(&mut self, action: Action) {
        self.state.desk.in_flight.insert(action.key.clone(), action.clone());
        self.effects.actions.push(action);
    }
}
