//! Floor 4: the orchestrator: runs, tasks, agents, attention, policies, a file each.
//!
//! It owns intent. A run is a pure machine (`orchflow-workflow`) driven by one task
//! (`runs::actor`): every command is committed with the actions it wants before any of
//! them is performed (`perform`), and every outcome is a new command. Panes, files and
//! git are reached through the protocol only, by a `Client`, as any other program does.
//!
//! What it deliberately is not: it sees no frame, no socket and no argv, writes no SQL,
//! and starts no process. Start reading at [`Orchestrator`], then `runs`.

mod agent_settings;
pub mod agents;
pub mod attention;
mod error;
mod orchestrator;
mod perform;
mod permission;
pub mod policies;
mod report;
pub mod runs;
pub mod tasks;

pub use error::Error;
pub use orchestrator::{Configuration, Orchestrator, Perform, PolicyFile, ProjectSettings};
