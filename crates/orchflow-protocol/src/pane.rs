//! `pane.*`: terminals (or pipes) and the processes behind them.

use std::collections::BTreeMap;

use orchflow_types::PaneId;
use orchflow_types::pane::{PaneInfo, PaneState, Size};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::{Empty, method};

method! {
    /// Starts a process in a new pane.
    Create = "pane.create", Run, CreateParams => CreateResult
}
method! {
    /// Lists panes, newest first.
    List = "pane.list", Read, ListParams => ListResult
}
method! {
    /// Tells all that is known of a pane.
    Info = "pane.info", Read, PaneParams => PaneInfo
}
method! {
    /// Writes to a pane's terminal or standard input.
    Write = "pane.write", Run, WriteParams => Empty, order |params| params.pane_id
}
method! {
    /// Ends a pane's standard input: closes the pipe, or sends end-of-file to the terminal.
    CloseStdin = "pane.close_stdin", Run, PaneParams => Empty, order |params| params.pane_id
}
method! {
    /// Reads output from an offset, the screen as text, or the last lines of history.
    Read = "pane.read", Read, ReadParams => ReadResult
}
method! {
    /// Gives a pane's terminal another size.
    Resize = "pane.resize", Run, ResizeParams => Empty, order |params| params.pane_id
}
method! {
    /// Ends a pane's process and everything that came of it.
    Kill = "pane.kill", Run, KillParams => PaneInfo, order |params| params.pane_id
}

/// A pane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaneParams {
    /// Which.
    #[serde(alias = "paneId")]
    pub pane_id: PaneId,
}

/// Params of `pane.create`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateParams {
    /// The words to run; empty is the user's shell. No shell reads them.
    #[serde(default)]
    pub command: Vec<String>,
    /// Where, absolute; none is the user's home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Variables on top of the scrubbed environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Cells of the terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Whether it gets a terminal (the default), or a pipe each for input, output and errors.
    #[serde(default = "yes")]
    pub tty: bool,
    /// Its name; empty is the program's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The same key again answers the pane that was made the first time, and makes no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

const fn yes() -> bool {
    true
}

/// Answer of `pane.create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreateResult {
    /// The new pane.
    pub pane_id: PaneId,
}

/// Params of `pane.list`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PaneState>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The most to answer; 100 when not said, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `pane.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// The panes.
    pub panes: Vec<PaneInfo>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// Params of `pane.write`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteParams {
    /// Which.
    #[serde(alias = "paneId")]
    pub pane_id: PaneId,
    /// Text to write.
    #[serde(default, alias = "input")]
    pub text: String,
    /// Bytes to write after it, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bytes: String,
    /// Whether to press Enter afterwards.
    #[serde(default)]
    pub enter: bool,
}

/// Which of a pane's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// The terminal, or standard output.
    #[default]
    Output,
    /// Standard error of a pane without a terminal.
    Errors,
}

/// Params of `pane.read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadParams {
    /// Which.
    #[serde(alias = "paneId")]
    pub pane_id: PaneId,
    /// What to read.
    #[serde(default)]
    pub what: What,
    /// Which output, for [`What::Raw`].
    #[serde(default)]
    pub output: Output,
    /// The offset to read from, for [`What::Raw`].
    #[serde(default)]
    pub from: u64,
    /// The most bytes (raw; 1 MiB when not said) or lines (history; 100 when not said).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What `pane.read` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Bytes as they were written, from an offset.
    #[default]
    Raw,
    /// The screen as text.
    Screen,
    /// The last lines, as text without escape sequences.
    History,
}

/// Answer of `pane.read`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ReadResult {
    /// The offset of the first byte (raw); it is beyond what was asked for when that was let go.
    pub offset: u64,
    /// The bytes in base64 (raw).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bytes: String,
    /// The text (screen, history).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Bytes that were let go between the offset asked for and `offset`.
    #[serde(default)]
    pub skipped: u64,
    /// Whether the pane has ended and this reaches its end.
    pub end: bool,
}

/// Params of `pane.resize`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResizeParams {
    /// Which.
    #[serde(alias = "paneId")]
    pub pane_id: PaneId,
    /// Its new size.
    pub size: Size,
}

/// Params of `pane.kill`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KillParams {
    /// Which.
    #[serde(alias = "paneId")]
    pub pane_id: PaneId,
    /// Milliseconds between TERM and KILL; 5,000 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
}
