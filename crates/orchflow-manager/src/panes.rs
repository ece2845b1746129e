//! `pane.*`: processes behind terminals or pipes, their rows, their events.
//!
//! A live pane is held in the registry and owned by one task, which waits for its end and
//! writes it down. What has ended is known by its row and by its log.

mod create;
mod read;
mod recover;
mod registry;
mod watch;

use std::time::Duration;

use orchflow_protocol::method::Empty;
use orchflow_protocol::pane::{
    KillParams, ListParams, ListResult, PaneParams, ResizeParams, WriteParams,
};
use orchflow_store::panes as rows;
use orchflow_terminal::{LogReader, Stream};
use orchflow_types::event::NewEvent;
use orchflow_types::pane::{PaneInfo, PaneState};
use orchflow_types::{EventType, PaneId};
use serde_json::json;

use crate::manager::blocking;
use crate::{Error, Manager};

pub use crate::streams::open_output;
pub use create::create;
pub use read::read;
pub(crate) use read::{Source, stream};
pub(crate) use recover::{recover, shutdown};
pub(crate) use registry::{Live, Registry};

/// What a process is given between TERM and KILL when nobody says.
const GRACE: Duration = Duration::from_secs(5);
/// The longest that may be asked for.
const LONGEST_GRACE: Duration = Duration::from_secs(300);

/// Lists panes, newest first.
///
/// # Errors
/// The cursor is none of this list's, or the database cannot be read.
pub async fn list(cx: Manager, params: ListParams) -> Result<ListResult, Error> {
    let limit = params.limit.unwrap_or(100).clamp(1, 1000);
    let before = params.cursor.as_deref().map(str::parse::<PaneId>).transpose();
    let before = before
        .map_err(|error| Error::BadParam { given: error.given, what: "a cursor of this list" })?;
    let found = cx.store().read(move |tx| rows::list(tx, params.state, before, limit)).await?;
    let full = found.len() >= limit as usize;
    let next_cursor = found.last().filter(|_| full).map(|pane| pane.info.pane_id.to_string());
    let panes = found.into_iter().map(|pane| as_it_is(&cx, pane.info)).collect();
    Ok(ListResult { panes, next_cursor })
}

/// Tells all that is known of a pane.
///
/// # Errors
/// [`Error::NoPane`], or the database cannot be read.
pub async fn info(cx: Manager, params: PaneParams) -> Result<PaneInfo, Error> {
    let row = row(&cx, params.pane_id).await?;
    let live = cx.panes().get(params.pane_id).is_some();
    let mut info = as_it_is(&cx, row.info);
    if !live {
        let log = blocking("read a log", move || LogReader::open(&row.log)).await?;
        if let Ok(log) = log {
            let summary = log.summary();
            (info.output_bytes, info.output_from) = (summary.len, summary.kept_from);
        }
    }
    Ok(info)
}

/// Writes to a pane's terminal or standard input, all of it or nothing.
///
/// # Errors
/// [`Error::NoPane`], [`Error::PaneEnded`], the input is closed or full, or `bytes` is not base64.
pub async fn write(cx: Manager, params: WriteParams) -> Result<Empty, Error> {
    let mut input = params.text.into_bytes();
    let bytes = orchflow_protocol::stream::decode(&params.bytes);
    let given = || params.bytes.chars().take(40).collect();
    input.extend(bytes.map_err(|_| Error::BadParam { given: given(), what: "base64" })?);
    let live = live(&cx, params.pane_id).await?;
    if params.enter {
        // The key sends a carriage return, which a terminal turns into a line end by itself.
        input.push(if live.pane.size().is_some() { b'\r' } else { b'\n' });
    }
    live.pane.write(&input).await?;
    Ok(Empty {})
}

/// Ends a pane's standard input.
///
/// # Errors
/// [`Error::NoPane`], [`Error::PaneEnded`], or its input is closed.
pub async fn close_stdin(cx: Manager, params: PaneParams) -> Result<Empty, Error> {
    live(&cx, params.pane_id).await?.pane.close_stdin().await?;
    Ok(Empty {})
}

/// Gives a pane's terminal another size, the nearest one it can have.
///
/// # Errors
/// [`Error::NoPane`], [`Error::PaneEnded`], or it has no terminal.
pub async fn resize(cx: Manager, params: ResizeParams) -> Result<Empty, Error> {
    let live = live(&cx, params.pane_id).await?;
    live.pane.resize(params.size).await?;
    let size = live.pane.size();
    let (pane_id, at) = (params.pane_id, cx.options().clock.now());
    let write = move |tx: &mut orchflow_store::Tx<'_>| {
        let Some(mut row) = rows::get(tx, pane_id)? else { return Ok(()) };
        row.info.size = size;
        rows::update(tx, &row.info)?;
        let told = event(EventType::PaneResized, pane_id, json!({ "size": size }));
        orchflow_store::events::append(tx, at, [told]).map(drop)
    };
    cx.store().write(write).await?;
    Ok(Empty {})
}

/// Ends a pane's process and everything that came of it: TERM, a grace, KILL. One that has
/// ended is answered as it is, and what it left running is ended.
///
/// # Errors
/// [`Error::NoPane`], or the database cannot be read.
pub async fn kill(cx: Manager, params: KillParams) -> Result<PaneInfo, Error> {
    let grace = params.grace_ms.map_or(GRACE, Duration::from_millis).min(LONGEST_GRACE);
    if let Some(live) = cx.panes().get(params.pane_id) {
        live.pane.kill(grace).await;
        live.written().await;
    } else {
        let row = row(&cx, params.pane_id).await?;
        // Its process is gone; what slipped away from it may not be.
        let mark = mark(&cx, row.info.pane_id);
        blocking("end what a pane left", move || orchflow_runtime::process::sweep(&mark)).await?;
    }
    info(cx, PaneParams { pane_id: params.pane_id }).await
}

/// What marks every process of a pane, and no other.
fn mark(cx: &Manager, pane_id: PaneId) -> String {
    format!("{}:{pane_id}", cx.options().mark)
}

/// A live pane.
async fn live(cx: &Manager, pane_id: PaneId) -> Result<Live, Error> {
    if let Some(live) = cx.panes().get(pane_id) {
        return Ok(live);
    }
    row(cx, pane_id).await?;
    Err(Error::PaneEnded(pane_id))
}

/// What is written down of a pane.
pub(crate) async fn row(cx: &Manager, pane_id: PaneId) -> Result<rows::Pane, Error> {
    let found = cx.store().read(move |tx| rows::get(tx, pane_id)).await?;
    found.ok_or(Error::NoPane(pane_id))
}

/// A stream of a pane that is not live; none for the errors of a terminal.
pub(crate) async fn finished_log(
    row: rows::Pane,
    stream: Stream,
) -> Result<Option<LogReader>, Error> {
    let path = match stream {
        Stream::Output => row.log,
        Stream::Errors if row.info.tty => return Ok(None),
        Stream::Errors => row.log.with_extension("err.log"),
    };
    Ok(Some(blocking("read a log", move || LogReader::open(&path)).await??))
}

/// A row, with what changes too often to be written down.
fn as_it_is(cx: &Manager, mut info: PaneInfo) -> PaneInfo {
    let Some(live) = cx.panes().get(info.pane_id) else { return info };
    if let Some(log) = live.pane.log(Stream::Output) {
        let summary = log.summary();
        (info.output_bytes, info.output_from) = (summary.len, summary.kept_from);
    }
    if info.state == PaneState::Running {
        info.size = live.pane.size();
    }
    info
}

pub(crate) fn event(kind: EventType, pane_id: PaneId, data: serde_json::Value) -> NewEvent {
    NewEvent { kind, about: pane_id.to_string(), within: Vec::new(), data }
}
