//! Child processes: born scrubbed and grouped, reaped by one waiter, ended as a tree.
//!
//! A process that uses this module leaves all of its spawning to it: the waiter reaps
//! every child there is, adopted orphans included (see [`become_subreaper`]).

mod end;
mod output;
mod spawn;
mod waiter;

pub use end::{is_alive, kill_group, start_time, sweep, sweep_but, sweep_politely, terminate};
pub use output::{Output, output};
pub use rustix::process::Signal;
pub use spawn::{SpawnError, Spec, Stdio, spawn};
pub use waiter::Exit;

use std::os::fd::OwnedFd;

/// The variable every child carries, so that what outlives its group is found again.
pub const MARK: &str = "ORCHFLOW_MARK";

/// A child process. Dropping it neither kills nor waits; the waiter reaps it anyway.
#[derive(Debug)]
pub struct Child {
    /// Its process id, which is also its group's.
    pub pid: u32,
    /// Its start time in clock ticks since boot: with the pid, a name that is never reused.
    pub start_time: u64,
    /// The writing end of its standard input, with [`Stdio::Pipes`].
    pub stdin: Option<OwnedFd>,
    /// The reading end of its standard output, unless it has a terminal.
    pub stdout: Option<OwnedFd>,
    /// The reading end of its standard error, unless it has a terminal.
    pub stderr: Option<OwnedFd>,
    /// The master side of its terminal, with [`Stdio::Tty`].
    pub tty: Option<OwnedFd>,
    /// How it ends.
    pub exit: Exit,
}

/// Makes this process the parent of orphaned descendants, so that none escapes to init.
/// Call once, early, in the daemon.
///
/// # Errors
/// When the kernel refuses `PR_SET_CHILD_SUBREAPER` (before Linux 3.4).
pub fn become_subreaper() -> std::io::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    waiter::start();
    Ok(())
}
