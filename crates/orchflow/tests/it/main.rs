//! The program as a user has it: the real binary, a daemon of its own, real repositories.

mod architect;
mod panes;
mod runs;
mod settings;
mod start;
mod terminal;

use orchflow_testkit::TestDaemon;

/// The built program.
pub(crate) const ORCHFLOW: &str = env!("CARGO_BIN_EXE_orchflow");

/// A home with this configuration; the first command starts the daemon.
pub(crate) fn home(config: &str) -> TestDaemon {
    TestDaemon::home(ORCHFLOW, config, &[]).expect("a temporary folder can be made")
}
