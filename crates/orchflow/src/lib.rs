//! Floor 6: the binary's parts: commands, settings, places, the daemon's wiring.
//!
//! A command turns argv into one call (or a few) of the daemon's methods and tells the
//! answer: data on stdout, talk on stderr, the exit code by the kind of error. It reaches
//! the daemon only by `orchflow_client`, and starts it when none runs ([`connect`]).
//! What this crate deliberately is not: it decides nothing about tasks, runs or panes;
//! that is the daemon's, and another client must be able to do all that a command does.
//!
//! Start reading at [`cli`], then any file of `commands`.

pub mod cli;
mod commands;
pub mod connect;
mod context;
pub mod daemon;
pub mod instance;
pub mod logging;
mod output;
pub mod places;
mod plan_file;
mod progress;
pub mod ready;
mod report;
pub mod settings;
mod stop;
mod talk;
