//! The doors of the machine: create, apply, replay.

use orchflow_types::Timestamp;

use crate::action::{Action, Effects, Outcome, Step};
use crate::admission::admit;
use crate::command::Command;
use crate::refused::{Refused, ReplayError};
use crate::spec::Spec;
use crate::state::State;
use crate::transition::Transition;

/// Begins a run; the first command of its journal is `Command::Create` with the same spec.
#[must_use]
pub fn create(at: Timestamp, spec: Spec) -> (State, Effects) {
    let mut state = State::new(at, spec);
    let mut transition = Transition::new(&mut state, at);
    transition.begin_run();
    let effects = transition.close();
    (state, effects)
}

/// Tells a run one command. The state is changed in place, so that nothing is copied and a
/// refusal can leave it as it was.
///
/// # Errors
/// [`Refused`] says why the command was not taken; then nothing has changed.
pub fn apply(state: &mut State, at: Timestamp, command: Command) -> Result<Effects, Refused> {
    admit(state, &command)?;
    let mut transition = Transition::new(state, at);
    match command {
        Command::Create(_) => unreachable!("admission refuses to create a run twice"),
        Command::Planned { plan, nodes } => transition.planned(plan, nodes)?,
        Command::PlanFailed { kind, reason } => transition.plan_failed(kind, reason),
        Command::Approve { plan } => transition.approved(plan)?,
        Command::Reject { reason } => transition.rejected(reason),
        Command::Done { key, outcome, .. } => {
            let action = transition.state.desk.in_flight.remove(&key);
            transition.done(action.expect("admission knows it is in flight"), outcome);
        }
        Command::Pause => transition.pause(),
        Command::Resume => transition.resume(),
        Command::Cancel { reason } => transition.cancel(reason),
        Command::Restart { epoch } => transition.restart(epoch),
        Command::Deadline => transition.deadline(),
        Command::Noticed { task, note } => transition.noticed(task, note),
        Command::Broken { reason } => transition.broken(reason),
    }
    transition.land_when_through();
    Ok(transition.close())
}

/// The state a journal leads to.
///
/// # Errors
/// [`ReplayError`] when it does not begin with a creation, or a command in it is refused.
pub fn replay(
    journal: impl IntoIterator<Item = (Timestamp, Command)>,
) -> Result<State, ReplayError> {
    let mut journal = journal.into_iter();
    let Some((at, Command::Create(spec))) = journal.next() else {
        return Err(ReplayError::NoBeginning);
    };
    let (mut state, _) = create(at, spec);
    for (place, (at, command)) in journal.enumerate() {
        apply(&mut state, at, command)
            .map_err(|refused| ReplayError::Refused { place: place + 1, refused })?;
    }
    Ok(state)
}

impl Transition<'_> {
    /// An action was performed, or could not be.
    fn done(&mut self, action: Action, outcome: Outcome) {
        self.tell_checkpoint(&action, outcome.name());
        let place = action.task.and_then(|task| self.state.tree.leaf_of(task));
        match (place, action.step) {
            (Some(place), step) => self.leaf_step_done(place, step, outcome),
            (None, Step::OpenRun) => self.opening_came_to(outcome),
            (None, Step::Land) => self.landing_came_to(outcome),
            (None, Step::Clean) => self.finish(),
            (None, Step::AwaitRoom { .. }) => self.waited_for_room(&outcome),
            (None, step) => {
                // Plans and approvals come by commands of their own; only a failure comes here.
                if let Outcome::Failed { failure, reason } = outcome {
                    self.run_step_failed(step, failure, reason);
                }
            }
        }
    }
}
