//! The manager against real processes, a real database and real repositories.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands, in its helpers too")]

mod bed;
mod ends;
mod git;
mod panes;
mod trust;
mod worktrees;
