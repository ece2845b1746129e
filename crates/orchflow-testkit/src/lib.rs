//! For tests: a daemon of one's own, scripted agents, small repositories, `wait_until`.
//!
//! Everything here is real: the daemon is the binary a user has, git is git, agents are
//! programs. What it deliberately is not: it fakes nothing and it never sleeps for a time
//! in the hope that something has happened by then.
//!
//! Start reading at [`TestDaemon`].

mod agents;
mod daemon;
mod repo;
mod wait;

pub use agents::{Script, Scripts};
pub use daemon::{Output, TestDaemon};
pub use repo::Repo;
pub use wait::wait_until;
