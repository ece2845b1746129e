//! Floor 1: the pure machine of one run.
//!
//! [`create`] begins a run, [`apply`] tells it one [`Command`] and answers with the
//! [`Effects`] it wants: actions to perform, events to tell, views to store. The same
//! journal of commands gives the same state on every machine and in every version.
//!
//! What this crate deliberately is not: it does no IO, reads no clock, mints no id, knows
//! no agent, no git and no SQL. Whoever drives it commits state and actions first,
//! performs the actions after, and brings each [`Outcome`] back as [`Command::Done`].
//!
//! Start reading at [`command`] for what can be said, [`action`] for what comes back;
//! inside, at `apply` for who takes a command, `chain` for the way of one leaf and `tree`
//! for what waits for what. [`plan_markdown`] is the plan as a file that a person edits.

pub mod action;
mod admission;
mod agents;
mod apply;
mod chain;
pub mod command;
mod ending;
mod events;
mod landing;
mod merge;
pub mod plan_markdown;
mod planning;
mod refused;
mod schedule;
pub mod spec;
mod state;
mod transition;
mod tree;
mod worked;

pub use action::{Action, ActionKey, Effects, Failure, Onto, Outcome, Step};
pub use apply::{apply, create, replay};
pub use command::Command;
pub use refused::{Refused, ReplayError};
pub use spec::{NodeSpec, Spec};
pub use state::State;
