//! Adapters at work, against a small manager that runs real processes.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod claude_code;
mod command;
mod limits;
mod manager;
mod tool;
