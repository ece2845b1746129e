//! The machine of a run, from outside: whole runs played by commands.

// Clippy allows it in test functions only; what helps them is test code as well.
#![allow(clippy::unwrap_used)]

mod chain;
mod flat;
mod golden;
mod player;
mod random;
mod runs;
mod schedule;
mod waits;
