//! `pane.read`: bytes from an offset, the screen, or the last lines; of ended panes as well.

use orchflow_protocol::pane::{Output, ReadParams, ReadResult, What};
use orchflow_protocol::stream::encode;
use orchflow_terminal::{AlacrittyScreen, LogReader, Screen, Stream};
use orchflow_types::PaneId;

use super::{finished_log, row};
use crate::manager::blocking;
use crate::{Error, Manager};

/// Bytes answered when nobody says how many.
const BYTES: u32 = 1 << 20;
/// The most bytes answered at once; base64 makes a third more of them.
const MOST_BYTES: u32 = 4 << 20;
/// Lines answered when nobody says how many.
const LINES: u32 = 100;
/// The most lines answered.
const MOST_LINES: u32 = 10_000;
/// What the screen of an ended pane is painted from.
const REPAINT: u64 = 1 << 20;

/// Reads output from an offset, the screen as text, or the last lines of history.
///
/// # Errors
/// [`Error::NoPane`], its log cannot be read, or it has no terminal and so no screen.
pub async fn read(cx: Manager, params: ReadParams) -> Result<ReadResult, Error> {
    match params.what {
        What::Raw => raw(&cx, params).await,
        What::Screen => screen(&cx, params.pane_id).await,
        What::History => history(&cx, params).await,
    }
}

/// One output of a pane.
pub(crate) struct Source {
    /// None for the errors of a terminal, which has but one output.
    pub(crate) log: Option<LogReader>,
    /// The offset where it ended, once the pane has.
    pub(crate) end: Option<u64>,
}

impl Source {
    pub(crate) async fn of(cx: &Manager, pane_id: PaneId, output: Output) -> Result<Self, Error> {
        let stream = stream(output);
        if let Some(live) = cx.panes().get(pane_id) {
            let end = live.end.borrow().map(|end| end.at(stream));
            return Ok(Self { log: live.pane.log(stream).cloned(), end });
        }
        let log = finished_log(row(cx, pane_id).await?, stream).await?;
        let end = log.as_ref().map_or(0, LogReader::len);
        Ok(Self { log, end: Some(end) })
    }
}

pub(crate) const fn stream(output: Output) -> Stream {
    match output {
        Output::Output => Stream::Output,
        Output::Errors => Stream::Errors,
    }
}

async fn raw(cx: &Manager, params: ReadParams) -> Result<ReadResult, Error> {
    let source = Source::of(cx, params.pane_id, params.output).await?;
    let Some(log) = source.log else {
        return Ok(ReadResult { end: source.end.is_some(), ..ReadResult::default() });
    };
    let max = params.limit.unwrap_or(BYTES).min(MOST_BYTES) as usize;
    let from = params.from;
    let chunk = blocking("read a log", move || log.read(from, max)).await??;
    let next = chunk.offset + chunk.bytes.len() as u64;
    let end = source.end.is_some_and(|end| next >= end);
    Ok(ReadResult {
        offset: chunk.offset,
        bytes: encode(&chunk.bytes),
        text: String::new(),
        skipped: chunk.gap_before.map_or(0, |gap| gap.end - gap.start),
        end,
    })
}

async fn history(cx: &Manager, params: ReadParams) -> Result<ReadResult, Error> {
    let source = Source::of(cx, params.pane_id, params.output).await?;
    let Some(log) = source.log else {
        return Ok(ReadResult { end: source.end.is_some(), ..ReadResult::default() });
    };
    let count = params.limit.unwrap_or(LINES).min(MOST_LINES) as usize;
    let (lines, offset) =
        blocking("read a log", move || (log.tail_lines(count), log.len())).await?;
    let text = lines?.join("\n");
    Ok(ReadResult { offset, text, end: source.end.is_some(), ..ReadResult::default() })
}

async fn screen(cx: &Manager, pane_id: PaneId) -> Result<ReadResult, Error> {
    let no_terminal = || orchflow_terminal::Error::NoTerminal { pane: pane_id };
    if let Some(live) = cx.panes().get(pane_id) {
        let text = live.pane.screen(|screen| screen.text()).ok_or_else(no_terminal)?;
        let offset = live.pane.log(Stream::Output).map_or(0, LogReader::len);
        let end = live.end.borrow().is_some();
        return Ok(ReadResult { offset, text, end, ..ReadResult::default() });
    }
    let row = row(cx, pane_id).await?;
    let size = row.info.size.filter(|_| row.info.tty).ok_or_else(no_terminal)?;
    let Some(log) = finished_log(row, Stream::Output).await? else {
        return Err(no_terminal().into());
    };
    let repaint = move || -> Result<ReadResult, Error> {
        let mut screen = AlacrittyScreen::new(size);
        let mut at = log.len().saturating_sub(REPAINT);
        loop {
            let chunk = log.read(at, 64 * 1024)?;
            if chunk.bytes.is_empty() {
                break;
            }
            screen.feed(&chunk.bytes);
            at = chunk.offset + chunk.bytes.len() as u64;
        }
        let (offset, text) = (log.len(), screen.text());
        Ok(ReadResult { offset, text, end: true, ..ReadResult::default() })
    };
    blocking("paint a screen", repaint).await?
}
