//! The program as a user has it: the real binary, a daemon of its own, real repositories,
//! real processes, real crashes.
//!
//! Nothing here looks inside: what is asserted is what a user would see in the repository,
//! in the database file, among the processes of the machine, or on the command's output.

#![allow(clippy::print_stdout, reason = "a test tells what it measured and what it left out")]
#![allow(clippy::unwrap_used, reason = "what a test cannot do without may end it")]
mod answers;
mod architect;
mod commands;
mod consents;
mod crashes;
mod goals;
mod hostile;
mod instances;
mod kills;
mod misbehaving;
mod outlives;
mod panes;
mod refusals;
mod runs;
mod settings;
mod sound;
mod stage;
mod start;
mod terminal;

use orchflow_testkit::TestDaemon;

/// The built program.
pub(crate) const ORCHFLOW: &str = env!("CARGO_BIN_EXE_orchflow");

/// A home with this configuration; the first command starts the daemon.
pub(crate) fn home(config: &str) -> TestDaemon {
    TestDaemon::home(ORCHFLOW, config, &[]).expect("a temporary folder can be made")
}
