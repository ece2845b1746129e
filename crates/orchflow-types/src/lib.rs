//! Floor 0: the words every other crate speaks.
//!
//! Ids, nouns, states, events and error kinds, each with its one spelling on the
//! wire. What this crate deliberately is not: it has no IO, no clock, no async,
//! no SQL and no HTTP, and it never mints an id (that is `orchflow-runtime`).
//!
//! Start reading at [`id`] for what can be named, [`run`] for what happens to a
//! task, and [`error`] for how anything that goes wrong is told.

pub mod agent;
pub mod attention;
pub mod error;
pub mod event;
pub mod id;
pub mod pane;
pub mod plan;
pub mod policy;
pub mod project;
pub mod run;
pub mod task;
pub mod text;
pub mod timestamp;

pub use agent::{AgentKind, AgentType, Role};
pub use error::{ErrorKind, Explain};
pub use event::{Cursor, Event, EventType};
pub use id::{AgentId, AttentionId, PaneId, RunId, SessionId, TaskId};
pub use timestamp::Timestamp;
