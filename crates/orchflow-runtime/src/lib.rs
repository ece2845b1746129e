//! Floor 1: what the rest of orchflow may not do by itself.
//!
//! The clock, id minting, randomness, the environment, child processes, supervised
//! tasks and crash points live here and nowhere else (clippy bans them elsewhere), so
//! that tests can hold time, children are always scrubbed, grouped, reaped and swept,
//! and a task that fails always says what its failure means.
//!
//! What it deliberately is not: it knows no terminal screen, no git, no socket, no
//! database. Start reading at [`process`].

pub mod clock;
pub mod crash;
pub mod env;
pub mod ids;
pub mod process;
pub mod supervise;

pub use clock::Clock;
pub use supervise::{Supervisor, TaskKind};
pub use tokio_util::sync::CancellationToken;
