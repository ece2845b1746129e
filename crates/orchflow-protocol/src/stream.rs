//! `stream.*`: bytes as they come, apart from events, with offsets of their own.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use orchflow_types::PaneId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::{Empty, method};
use crate::pane::Output;

method! {
    /// Sends a pane's output as `pane.output` notifications, from an offset to its end.
    Open = "stream.open", Read, OpenParams => OpenResult
}
method! {
    /// Ends a stream before its end.
    Close = "stream.close", Read, CloseParams => Empty
}

/// Params of `stream.open`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenParams {
    /// Which pane.
    #[serde(alias = "paneId")]
    pub pane_id: PaneId,
    /// Which of its outputs.
    #[serde(default)]
    pub output: Output,
    /// The offset to begin at.
    #[serde(default)]
    pub from: u64,
}

/// Answer of `stream.open`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenResult {
    /// Its name on this connection.
    pub stream_id: u64,
}

/// Params of `stream.close`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseParams {
    /// Its name on this connection.
    pub stream_id: u64,
}

/// The notification `pane.output`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaneOutput {
    /// The stream it belongs to.
    pub stream_id: u64,
    /// The pane.
    pub pane_id: PaneId,
    /// The offset of the first byte.
    pub offset: u64,
    /// The bytes; base64 on the wire.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    #[schemars(with = "String")]
    pub bytes: Vec<u8>,
    /// Bytes that were let go right before `offset`.
    #[serde(default)]
    pub skipped: u64,
    /// Whether this is the last of the stream: the pane has ended and all of it was sent.
    #[serde(default)]
    pub end: bool,
}

impl PaneOutput {
    /// The name of the notification.
    pub const NAME: &'static str = "pane.output";
}

fn to_base64<S: serde::Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&BASE64_STANDARD.encode(bytes))
}

fn from_base64<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
    BASE64_STANDARD.decode(text.as_bytes()).map_err(serde::de::Error::custom)
}

/// Bytes as they travel inside JSON.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// Bytes out of JSON.
///
/// # Errors
/// When the text is not base64.
pub fn decode(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    BASE64_STANDARD.decode(text.as_bytes())
}
