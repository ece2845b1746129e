//! The product as a user has it: the built binary, real git, real processes, real crashes.
//!
//! Nothing here looks inside: what is asserted is what a user would see in the repository,
//! in the database file, among the processes of the machine, or on the command's output.

#![allow(clippy::unwrap_used, reason = "what a test cannot do without may end it")]

mod commands;
mod crashes;
mod goals;
mod hostile;
mod instances;
mod kills;
mod misbehaving;
mod refusals;
mod sound;
mod stage;
