//! `system.*`: the daemon itself.

use orchflow_types::{Cursor, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::{Empty, method};

/// The version of the protocol this crate speaks; the first message of a daemon says it.
pub const VERSION: &str = "1";

method! {
    /// Tells who the daemon is and what it holds.
    Info = "system.info", Read, Empty => InfoResult
}
method! {
    /// Tells whether everything the daemon needs works.
    Health = "system.health", Read, Empty => HealthResult
}
method! {
    /// Checks programs, agents, folders, sockets and keys, and says how to mend what is wrong.
    Doctor = "system.doctor", Read, DoctorParams => DoctorResult
}
method! {
    /// Ends the daemon after what is under way is durably parked; runs go on at the next start.
    Shutdown = "system.shutdown", Admin, Empty => Empty
}

/// Answer of `system.info`, and what `orchflow status --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InfoResult {
    /// The daemon's process id.
    pub pid: u32,
    /// The version of orchflow.
    pub version: String,
    /// The version of the protocol.
    pub protocol: String,
    /// The path of the Unix socket.
    pub socket: String,
    /// The address of the HTTP door; none while TCP is off.
    pub http: Option<String>,
    /// The file with the token for it.
    pub token_file: Option<String>,
    /// When the daemon started.
    pub started_at: Timestamp,
    /// Sessions there are.
    pub sessions: u64,
    /// Panes whose process runs.
    pub panes: u64,
    /// Tasks there are, by the root.
    pub tasks: u64,
    /// Runs that are not finished.
    pub runs: u64,
    /// Where the event log ends.
    pub cursor: Cursor,
}

/// Answer of `system.health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthResult {
    /// Whether all of it is well.
    pub ok: bool,
    /// What was checked.
    pub checks: Vec<Check>,
}

/// Params of `system.doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DoctorParams {
    /// A project to look at, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
}

/// Answer of `system.doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorResult {
    /// What was checked, in groups of the same `group`.
    pub checks: Vec<Check>,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What it belongs to: `daemon`, `agents`, `tools`, `project`.
    pub group: String,
    /// What was checked.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
    /// Whether orchflow cannot work without it.
    pub required: bool,
    /// What was found: a version, a path, an error.
    pub found: String,
    /// The command that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// The notification `system.hello`: the first message of the daemon on every connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// `orchflow`.
    pub name: String,
    /// The version of orchflow.
    pub version: String,
    /// The version of the protocol.
    pub protocol: String,
    /// What this daemon can do beyond the method table's required part.
    pub capabilities: Vec<String>,
}

impl Hello {
    /// The name of the notification.
    pub const NAME: &'static str = "system.hello";
}
