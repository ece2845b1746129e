//! `events.*`: what has happened, resumable from a cursor.

use orchflow_types::{Cursor, Event, EventType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::{Empty, method};

method! {
    /// Sends every event after a cursor as `events.batch` notifications, and goes on as they happen.
    Subscribe = "events.subscribe", Read, SubscribeParams => SubscribeResult
}
method! {
    /// Ends a subscription.
    Unsubscribe = "events.unsubscribe", Read, UnsubscribeParams => Empty
}
method! {
    /// Answers a page of events after a cursor.
    List = "events.list", Read, ListParams => ListResult
}

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// Only these types; empty is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<EventType>,
    /// Only those about this id and what is below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// Params of `events.subscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SubscribeParams {
    /// Where to begin; none is now, 0 the beginning of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
    /// Which events.
    #[serde(flatten)]
    pub filter: Filter,
    /// Milliseconds to gather events before they are sent; 0 sends at once.
    #[serde(default)]
    pub batch_ms: u32,
}

/// Answer of `events.subscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscribeResult {
    /// Its name on this connection.
    pub subscription_id: u64,
    /// Where it begins.
    pub after: Cursor,
}

/// Params of `events.unsubscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnsubscribeParams {
    /// Its name on this connection.
    pub subscription_id: u64,
}

/// Params of `events.list`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ListParams {
    /// Where to begin.
    #[serde(default)]
    pub after: Cursor,
    /// Which events.
    #[serde(flatten)]
    pub filter: Filter,
    /// The most to answer; 100 when not said, 1,000 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `events.list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// What to send as `after` for the next page.
    pub next_cursor: Cursor,
}

/// The notification `events.batch`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Batch {
    /// The subscription it belongs to.
    pub subscription_id: u64,
    /// The events, oldest first; never empty.
    pub events: Vec<Event>,
}

impl Batch {
    /// The name of the notification.
    pub const NAME: &'static str = "events.batch";
}
