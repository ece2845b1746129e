//! Events: what has happened, told exactly when its transaction is committed.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;

/// A place in the event log. Opaque to clients: keep it, send it back as `after`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Cursor(pub u64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One event as clients see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Its place in the log.
    pub cursor: Cursor,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The id of what it happened to.
    pub about: String,
    /// The rest, by type.
    pub data: Value,
}

/// An event before it has a place in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewEvent {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The id of what it happened to.
    pub about: String,
    /// Ids above it (its run, its parents), so that a filter on them finds it.
    pub within: Vec<String>,
    /// The rest, by type.
    pub data: Value,
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What can happen: `noun.happened`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum EventType { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl EventType {
            /// Every type there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            /// Its spelling on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $text),* } }
        }
    };
}

event_types! {
    /// A pane was started.
    PaneCreated = "pane.created";
    /// The process of a pane ended and its output is complete.
    PaneExit = "pane.exit";
    /// A pane has a new size.
    PaneResized = "pane.resized";
    /// A task came into being.
    TaskCreated = "task.created";
    /// Something of a task changed: status, phase, agent, text.
    TaskUpdated = "task.updated";
    /// A task has another parent or place.
    TaskMoved = "task.moved";
    /// A task and all below it went away.
    TaskDeleted = "task.deleted";
    /// A run came into being.
    RunStarted = "run.started";
    /// A run went from one phase to another.
    RunPhaseChanged = "run.phase_changed";
    /// A step of a run is durably done.
    RunCheckpointed = "run.checkpointed";
    /// A run ended; nothing of it will change any more.
    RunFinished = "run.finished";
    /// Something waits for a person.
    AttentionRaised = "attention.raised";
    /// A person (or a policy) answered.
    AttentionAnswered = "attention.answered";
    /// An agent began or stopped being usable.
    AgentStatusChanged = "agent.status_changed";
    /// A setting changed.
    ConfigChanged = "config.changed";
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No event has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no event is called `{0}`")]
pub struct UnknownEventType(pub String);

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownEventType(text.to_owned()))
    }
}
