//! Floor 2: what a manager does to a project folder: git by hardened calls, project
//! detection, reading what test tools print, and the fingerprint that trust is tied to.
//!
//! What it deliberately is not: it keeps no state, knows no run, agent or terminal, and
//! never executes anything a repository brings along (hooks, filters, drivers, build
//! scripts). Start reading at [`git`].

mod error;
pub mod git;
pub mod project;
pub mod test_output;
pub mod trust;

pub use error::{Error, Result};
