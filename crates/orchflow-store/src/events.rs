//! The event log: the truth of what has happened, in order, without gaps.
//!
//! An event is in the log exactly when the transaction that appended it is committed.
//! There is one writer, so cursors become visible in their order: a follower that reads
//! after its cursor misses nothing. `Store::bell` tells when to read again.

use std::collections::BTreeSet;

use orchflow_types::event::NewEvent;
use orchflow_types::id::Id;
use orchflow_types::{
    AgentId, AttentionId, Cursor, Event, EventType, PaneId, RunId, SessionId, TaskId, Timestamp,
};
use rusqlite::types::Value;
use rusqlite::{Row, params};

use crate::column::{At, Json, Word};
use crate::{Error, Reader, Tx};

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only these types; empty is all.
    pub types: Vec<EventType>,
    /// Only those about this id and what is below it.
    pub about: Option<String>,
}

/// A page of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// What to read after for the next page: beyond all that was looked at, so that a
    /// filter nothing matches does not read the same events again.
    pub next: Cursor,
}

/// An event as it is written: made where the event is, so that the writer's thread, which
/// all share, has only bytes to bind.
#[derive(Debug, Clone)]
pub struct EventRow {
    kind: EventType,
    about: String,
    data: String,
    /// The ids it is found by.
    above: Vec<Value>,
}

impl From<NewEvent> for EventRow {
    fn from(event: NewEvent) -> Self {
        let above: BTreeSet<_> = event.within.iter().chain([&event.about]).collect();
        Self {
            kind: event.kind,
            above: above.into_iter().map(|id| about_key(id)).collect(),
            data: event.data.to_string(),
            about: event.about,
        }
    }
}

/// Appends events and answers the cursor of the last.
///
/// # Errors
/// When the database cannot be written.
pub fn append(
    tx: &mut Tx<'_>,
    at: Timestamp,
    events: impl IntoIterator<Item = impl Into<EventRow>>,
) -> Result<Cursor, Error> {
    let mut newest = None;
    for event in events {
        let event: EventRow = event.into();
        tx.execute(
            "INSERT INTO events (at, type, about, data) VALUES (?1, ?2, ?3, ?4)",
            params![At(at), event.kind.as_str(), event.about, event.data],
        )?;
        let seq = tx.inserted();
        for id in &event.above {
            tx.execute("INSERT INTO event_about (id, seq) VALUES (?1, ?2)", params![id, seq])?;
        }
        tx.appended(cursor(seq));
        newest = Some(cursor(seq));
    }
    newest.map_or_else(|| last(tx), Ok)
}

/// The cursor of the newest event; 0 when nothing has happened.
///
/// # Errors
/// When the database cannot be read.
pub fn last(reader: &Reader<'_>) -> Result<Cursor, Error> {
    let last = reader.one("SELECT max(seq) FROM events", [], |row| row.get::<_, Option<i64>>(0))?;
    Ok(last.flatten().map_or(Cursor(0), cursor))
}

/// At most `limit` events after a cursor.
///
/// # Errors
/// When the database cannot be read.
pub fn after(
    reader: &Reader<'_>,
    after: Cursor,
    filter: &Filter,
    limit: u32,
) -> Result<Page, Error> {
    let limit = limit.max(1);
    let from = i64::try_from(after.0).unwrap_or(i64::MAX);
    let types = (!filter.types.is_empty()).then_some(Json(&filter.types));
    let events = match &filter.about {
        None => reader.all(
            "SELECT seq, at, type, about, data FROM events WHERE seq > ?1 \
             AND (?3 IS NULL OR type IN (SELECT value FROM json_each(?3))) \
             ORDER BY seq LIMIT ?2",
            params![from, limit, types],
            event,
        )?,
        // CROSS JOIN: the index by id leads, whatever the planner thinks.
        Some(about) => reader.all(
            "SELECT e.seq, e.at, e.type, e.about, e.data \
             FROM event_about AS a CROSS JOIN events AS e ON e.seq = a.seq \
             WHERE a.id = ?4 AND a.seq > ?1 \
             AND (?3 IS NULL OR e.type IN (SELECT value FROM json_each(?3))) \
             ORDER BY a.seq LIMIT ?2",
            params![from, limit, types, about_key(about)],
            event,
        )?,
    };
    let full = events.len() >= limit as usize;
    let next = match events.last() {
        Some(event) if full => event.cursor,
        _ => last(reader)?,
    };
    Ok(Page { events, next })
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        cursor: cursor(row.get(0)?),
        at: row.get::<_, At>(1)?.0,
        kind: row.get::<_, Word<EventType>>(2)?.0,
        about: row.get(3)?,
        data: row.get::<_, Json<serde_json::Value>>(4)?.0,
    })
}

fn cursor(seq: i64) -> Cursor {
    Cursor(u64::try_from(seq).expect("SQLite gives rowids from 1 on"))
}

/// An id of ours as its 16 bytes (unique across nouns), any other name as text.
fn about_key(id: &str) -> Value {
    let bytes = |id: &str| match id.split_once('_')?.0 {
        TaskId::PREFIX => id.parse::<TaskId>().ok().map(Id::uuid),
        RunId::PREFIX => id.parse::<RunId>().ok().map(Id::uuid),
        PaneId::PREFIX => id.parse::<PaneId>().ok().map(Id::uuid),
        AttentionId::PREFIX => id.parse::<AttentionId>().ok().map(Id::uuid),
        SessionId::PREFIX => id.parse::<SessionId>().ok().map(Id::uuid),
        AgentId::PREFIX => id.parse::<AgentId>().ok().map(Id::uuid),
        _ => None,
    };
    bytes(id).map_or_else(|| Value::Text(id.to_owned()), |id| Value::Blob(id.as_bytes().to_vec()))
}
