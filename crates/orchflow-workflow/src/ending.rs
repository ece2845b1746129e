//! Pausing, restarting and winding down: what can befall a run at any time.

use orchflow_types::{ErrorKind, TaskId};

use crate::action::{ActionKey, Outcome, Step};
use crate::state::{Ending, Held, Phase};
use crate::transition::Transition;

impl Transition<'_> {
    pub(crate) fn pause(&mut self) {
        self.withdraw_waits();
        self.state.desk.paused = true;
    }

    /// Hands out what was held, in the order it came up, and goes on.
    pub(crate) fn resume(&mut self) {
        self.withdraw_waits();
        self.state.desk.paused = false;
        self.state.run.reason = None;
        for Held { leaf, step } in std::mem::take(&mut self.state.desk.held) {
            match leaf {
                Some(place) => self.issue(place, step),
                None => self.issue_for_run(step),
            }
        }
        self.fill_slots();
    }

    /// There is no room for a step: the run pauses, and the step waits with it until it is
    /// tried again. A person's own pause does not end by itself.
    pub(crate) fn no_room(&mut self, held: Held, reason: String) {
        self.state.desk.held.push_back(held);
        self.state.run.reason = Some(reason);
        self.effects.run_changed = true;
        if !self.state.desk.paused {
            self.state.desk.paused = true;
            self.await_room();
        }
    }

    /// It was waited for room: what is held is tried again, if that is still wanted.
    pub(crate) fn waited_for_room(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Failed { reason, .. } => {
                // Without the wait only a person can tell when to go on.
                self.state.run.reason = Some(reason.clone());
                self.effects.run_changed = true;
            }
            _ => self.resume(),
        }
    }

    /// What was seen around a turn of a leaf.
    pub(crate) fn noticed(&mut self, task: TaskId, note: String) {
        let place = self.state.tree.leaf_of(task).expect("admission has found the leaf");
        self.note(place, note.clone());
        self.noticed = Some((self.state.leaves[place as usize].node, note));
    }

    pub(crate) fn broken(&mut self, reason: String) {
        self.end(Ending::Failed { kind: ErrorKind::Internal, reason });
    }

    /// A new process took over: everything in flight is handed out again under its epoch.
    /// What an ending had stopped is named as stopped again, so that it is not begun anew.
    pub(crate) fn restart(&mut self, epoch: u64) {
        // How long the process before this one lived on is not known: it is not counted.
        self.state.worked.forget();
        let desk = &mut self.state.desk;
        desk.epoch = epoch;
        for action in desk.in_flight.values_mut() {
            action.epoch = epoch;
            self.effects.actions.push(action.clone());
        }
        if self.state.ending.is_some() {
            self.stop_in_flight();
        }
    }

    pub(crate) fn cancel(&mut self, reason: String) {
        self.end(Ending::Cancelled { reason });
    }

    pub(crate) fn deadline(&mut self) {
        let minutes = self.state.run.options.minutes;
        let reason = format!("the run's {minutes} minutes are over");
        self.end(Ending::Failed { kind: ErrorKind::Timeout, reason });
    }

    /// Winds the run down. Leaves with an action in flight follow when its outcome is
    /// there; all others end now, their worktrees cleaned.
    pub(crate) fn end(&mut self, ending: Ending) {
        let (Ending::Cancelled { reason } | Ending::Failed { reason, .. }) = &ending;
        let reason = reason.clone();
        self.state.run.reason = Some(reason.clone());
        self.effects.run_changed = true;
        self.state.ending = Some(ending);
        self.state.desk.paused = false;
        self.stop_in_flight();
        self.withdraw_waits();
        self.state.merges.close();
        self.state.desk.held.clear();
        for place in 0..self.state.leaves.len() {
            let place = u32::try_from(place).expect("a tree counts its nodes with u32");
            self.end_idle_leaf(place);
        }
        if self.state.phase == Phase::Landing {
            // Only a landing that is held lets a run be ended this late.
            self.left_on_branch(reason);
        }
    }

    fn end_idle_leaf(&mut self, place: u32) {
        let leaf = &self.state.leaves[place as usize];
        if leaf.busy || leaf.view.status.is_final() {
        } else if leaf.verdict.is_some() {
            self.issue(place, Step::Clean); // It was held: how the leaf ends is settled.
        } else {
            self.conclude_by_ending(place);
        }
    }

    fn stop_in_flight(&mut self) {
        let actions = self.state.desk.in_flight.values();
        let stoppable = actions.filter(|action| self.state.is_stopped(action));
        self.effects.stop.extend(stoppable.map(|action| action.key.clone()));
    }

    /// Nobody has to answer any more whether the plan is good, or to wait for room.
    fn withdraw_waits(&mut self) {
        let waits = self.state.desk.in_flight.extract_if(.., |_, action| action.step.only_waits());
        let withdrawn: Vec<ActionKey> = waits.map(|(key, _)| key).collect();
        let stop = &mut self.effects.stop;
        stop.extend(
            withdrawn.iter().filter(|key| !stop.contains(key)).cloned().collect::<Vec<_>>(),
        );
        self.effects.settled.extend(withdrawn);
    }
}
