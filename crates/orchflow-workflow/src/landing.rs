//! The end of a run: bring what was merged to the user, clean up, say how it went.

use orchflow_types::run::{Landing, RunStatus};
use orchflow_types::task::TaskStatus;

use crate::action::{Failure, Outcome, Step};
use crate::state::{Ending, Held, Phase, State};
use crate::transition::Transition;

impl Transition<'_> {
    /// Goes on to the landing when nothing is at work and nothing is left to do.
    pub(crate) fn land_when_through(&mut self) {
        let landing = matches!(self.state.phase, Phase::Landing | Phase::Finished);
        // A plan that is still to be made has no leaves either: it may be held for room.
        let desk = &self.state.desk;
        let at_work = !desk.in_flight.is_empty() || !desk.held.is_empty();
        if landing || at_work || !self.state.tree.is_through() {
            return;
        }
        self.state.phase = Phase::Landing;
        if self.state.merges.commits().is_empty() {
            self.clean_up();
        } else if matches!(self.state.ending, Some(Ending::Cancelled { .. })) {
            self.left_on_branch("the run was cancelled".to_owned());
        } else {
            self.issue_for_run(Step::Land);
        }
    }

    /// The landing was performed, or could not be.
    pub(crate) fn landing_came_to(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Landed(landing) => {
                self.state.run.landing = Some(landing);
                self.effects.run_changed = true;
                self.clean_up();
            }
            Outcome::Failed { failure: Failure::NoRoom, reason } if self.state.ending.is_none() => {
                self.no_room(Held { leaf: None, step: Step::Land }, reason);
            }
            Outcome::Failed { reason, .. } => self.left_on_branch(reason),
            other => unreachable!("admission lets no `{}` answer a landing", other.name()),
        }
    }

    /// What is merged is not brought to the user: it stays on its branch.
    pub(crate) fn left_on_branch(&mut self, reason: String) {
        let branch = self.state.branch.clone().unwrap_or_default();
        self.state.run.landing = Some(Landing {
            merged: false,
            reason: Some(reason),
            command: Some(format!("git merge {branch}")),
            branch,
            commits: self.state.merges.commits().to_vec(),
        });
        self.effects.run_changed = true;
        self.clean_up();
    }

    fn clean_up(&mut self) {
        if self.state.branch.is_some() {
            self.issue_for_run(Step::Clean);
        } else {
            self.finish();
        }
    }

    /// Nothing is left to do: says how it went.
    pub(crate) fn finish(&mut self) {
        let status = final_status(self.state);
        let run = &mut self.state.run;
        if run.reason.is_none() && status == RunStatus::Failed {
            run.reason = self.state.leaves.iter().find_map(|leaf| {
                let reason = leaf.view.reason.as_ref()?;
                Some(format!("`{}`: {reason}", leaf.view.plan.key))
            });
        }
        run.status = status;
        run.finished_at = Some(self.at);
        self.state.phase = Phase::Finished;
        self.state.desk.paused = false;
        self.effects.run_changed = true;
    }
}

fn final_status(state: &State) -> RunStatus {
    if matches!(state.ending, Some(Ending::Cancelled { .. })) {
        return RunStatus::Cancelled;
    }
    let completed = state.leaves().filter(|leaf| leaf.status == TaskStatus::Completed).count();
    match completed {
        0 => RunStatus::Failed,
        all if all == state.leaves().len() => RunStatus::Succeeded,
        _ => RunStatus::Partial,
    }
}
