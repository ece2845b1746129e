//! Which command may be taken when. Asked before anything changes, so that a refusal
//! changes nothing.

use crate::action::{ActionKey, Outcome, Step};
use crate::command::Command;
use crate::refused::Refused;
use crate::state::{Phase, State};

/// Whether `state` takes `command` now. What is wrong with a plan's nodes shows only when
/// the tree is built from them.
pub(crate) fn admit(state: &State, command: &Command) -> Result<(), Refused> {
    if state.phase == Phase::Finished {
        return Err(Refused::Finished { status: state.run.status });
    }
    let objection = match command {
        Command::Done { key, epoch, outcome } => return admit_outcome(state, key, *epoch, outcome),
        Command::Restart { epoch } if *epoch <= state.desk.epoch => {
            return Err(Refused::OldEpoch { given: *epoch, current: state.desk.epoch });
        }
        Command::Restart { .. } => None,
        Command::Create(_) => Some("the run has been created already"),
        Command::Planned { .. } | Command::PlanFailed { .. } => {
            (state.phase != Phase::Planning).then_some("the plan is made already")
        }
        Command::Approve { .. } | Command::Reject { .. } => match state.phase {
            Phase::AwaitingApproval => None,
            Phase::Planning => Some("there is no plan yet"),
            _ => Some("the plan was approved already, or needed no approval"),
        },
        Command::Pause => objection_to_pause(state),
        Command::Resume => (!state.desk.paused).then_some("the run is not paused"),
        Command::Cancel { .. } | Command::Deadline | Command::Broken { .. } => {
            objection_to_ending(state)
        }
        Command::Noticed { task, .. } => {
            let at_work = state.leaf(*task).is_some_and(|leaf| !leaf.status.is_final());
            (!at_work).then_some("nobody is at that task")
        }
    };
    match objection {
        None => Ok(()),
        Some(reason) => {
            Err(Refused::Conflict { command: command.name(), reason: reason.to_owned() })
        }
    }
}

fn objection_to_pause(state: &State) -> Option<&'static str> {
    match state.phase {
        // A pause for want of room may be made a person's own: then it does not end by itself.
        _ if state.desk.paused && !state.desk.awaits_room() => Some("the run is paused already"),
        _ if state.ending.is_some() => Some("the run is ending"),
        Phase::Planning | Phase::AwaitingApproval => Some("no task is at work yet"),
        Phase::Opening | Phase::Working | Phase::Landing | Phase::Finished => None,
    }
}

fn objection_to_ending(state: &State) -> Option<&'static str> {
    let land_is_held = || state.desk.held.iter().any(|held| held.step == Step::Land);
    if state.ending.is_some() {
        Some("the run is ending already")
    } else if state.phase == Phase::Landing && !land_is_held() {
        // Half a landing helps nobody.
        Some("the run is landing, and nothing is left to stop")
    } else {
        None
    }
}

fn admit_outcome(
    state: &State,
    key: &ActionKey,
    epoch: u64,
    outcome: &Outcome,
) -> Result<(), Refused> {
    let awaited = state.desk.in_flight.get(key).filter(|action| action.epoch == epoch);
    let Some(action) = awaited else {
        return Err(Refused::Stale { key: key.clone(), epoch });
    };
    if fits(&action.step, outcome) {
        return Ok(());
    }
    let reason = format!("`{key}` cannot come to `{}`", outcome.name());
    Err(Refused::Conflict { command: "done", reason })
}

const fn fits(step: &Step, outcome: &Outcome) -> bool {
    matches!(
        (step, outcome),
        (_, Outcome::Failed { .. })
            | (Step::OpenRun, Outcome::Opened { .. })
            | (Step::AwaitRoom { .. }, Outcome::Waited)
            | (Step::PrepareLeaf, Outcome::Prepared { .. })
            | (Step::Execute { .. }, Outcome::Executed { .. })
            | (Step::Gate { .. }, Outcome::Gated(_))
            | (Step::Audit { .. }, Outcome::Audited(_))
            | (Step::Commit, Outcome::Committed { .. })
            | (
                Step::Merge,
                Outcome::Merged { .. } | Outcome::MergeConflict { .. } | Outcome::MergedRed(_)
            )
            | (Step::Land, Outcome::Landed(_))
            | (Step::Clean, Outcome::Cleaned { .. })
    )
}
