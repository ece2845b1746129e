//! The doors of the machine: create, apply, replay.

use orchflow_types::Timestamp;

use crate::action::Effects;
use crate::command::Command;
use crate::refused::{Refused, ReplayError};
use crate::spec::Spec;
use crate::state::State;

/// Begins a run; the first command of its journal is `Command::Create` with the same spec.
#[must_use]
pub fn create(at: Timestamp, spec: Spec) -> (State, Effects) {
    (State::new(at, spec), Effects::default())
}

/// Tells a run one command. The state is changed in place, so that nothing is copied and a
/// refusal can leave it as it was.
///
/// # Errors
/// [`Refused`] says why the command was not taken; then nothing has changed.
pub fn apply(state: &mut State, at: Timestamp, command: Command) -> Result<Effects, Refused> {
    let _ = (state, at);
    Err(Refused::Conflict { command: command.name(), reason: "not yet".to_owned() })
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
