//! Panes: a terminal (or three pipes) and the process behind it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PaneId, Timestamp};

/// Whether the process of a pane is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaneState {
    /// The process runs.
    Running,
    /// It ended and all of its output was read.
    Exited,
    /// The daemon died while it ran; how it ended nobody saw.
    Lost,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ExitStatus {
    /// What it passed to `exit`; `128 + signal` when a signal ended it, as shells count.
    pub code: i32,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

impl ExitStatus {
    /// Whether it ended by itself with code 0.
    #[must_use]
    pub const fn success(self) -> bool {
        self.code == 0
    }
}

/// Columns and rows of a terminal, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Size {
    /// Cells in a row; at least 1.
    pub cols: u16,
    /// Rows; at least 1.
    pub rows: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { cols: 80, rows: 24 }
    }
}

/// What can be told of a pane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaneInfo {
    /// Its name.
    pub pane_id: PaneId,
    /// What it shows as its name.
    pub title: String,
    /// The words it runs.
    pub command: Vec<String>,
    /// Where it was started.
    pub cwd: String,
    /// Whether it has a terminal, or pipes.
    pub tty: bool,
    /// The process id; none before the start and after the end.
    pub pid: Option<u32>,
    /// Whether the process is there.
    pub state: PaneState,
    /// How it ended, once it has.
    pub exit_code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// Bytes it has written so far; the offset where its output goes on.
    pub output_bytes: u64,
    /// The first offset still kept after the head (what lies between was let go).
    pub output_from: u64,
    /// Cells of the terminal; none for pipes.
    pub size: Option<Size>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it ended.
    pub exited_at: Option<Timestamp>,
}
