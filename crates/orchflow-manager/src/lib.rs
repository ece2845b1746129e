//! Floor 4: the manager's nouns: panes, git, projects, tests, trust.
//!
//! A noun is a file; its verbs are functions `verb(cx: Manager, params) -> Result<…, Error>`
//! on the shapes of `orchflow-protocol` as they stand. What this crate deliberately is not:
//! it knows no frame, no socket and no argv, it never names the orchestrator, and it decides
//! nothing about tasks or runs.
//!
//! Start reading at [`Manager`], then [`panes`].

mod error;
pub mod git;
mod manager;
pub mod panes;
pub mod projects;
pub mod streams;
pub mod test_results;
pub mod trust;

pub use error::Error;
pub use manager::{Counts, Manager, Options, Recovered};
pub use streams::{OutputReader, Piece};
