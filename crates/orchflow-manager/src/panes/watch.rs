//! The one task that owns a pane: it waits for the end and writes it down, once.

use std::convert::Infallible;
use std::time::Duration;

use orchflow_runtime::TaskKind;
use orchflow_store::panes as rows;
use orchflow_terminal::{LogReader, Pane, PaneEnd, Stream};
use orchflow_types::EventType;
use orchflow_types::pane::PaneState;
use serde_json::json;
use tokio::sync::watch::Sender;

use super::event;
use crate::Manager;

/// How long to wait before an end that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Starts the task; `written` becomes true when the end is in the database.
pub(super) fn start(cx: &Manager, pane: Pane, written: Sender<Option<PaneEnd>>) {
    let supervisor = cx.options().supervisor.clone();
    let cx = cx.clone();
    let work = async move {
        let end = pane.exit().await;
        if write_end(&cx, &pane, end).await {
            written.send_replace(Some(end));
        }
        drop(written);
        // What the process left behind may go on printing to the log.
        for stream in [Stream::Output, Stream::Errors] {
            if let Some(log) = pane.log(stream) {
                log.wait_beyond(u64::MAX).await;
            }
        }
        if pane.log(Stream::Output).is_some_and(|log| log.len() != end.output) {
            update_len(&cx, &pane).await;
        }
        pane.forget().await;
        cx.panes().remove(pane.id());
        Ok::<_, Infallible>(())
    };
    supervisor.spawn(TaskKind::Pane, "pane row", work);
}

/// Row and event in one transaction; tries again as long as that can help.
async fn write_end(cx: &Manager, pane: &Pane, end: PaneEnd) -> bool {
    let (pane_id, at) = (pane.id(), cx.options().clock.now());
    let len = end.output;
    let from = pane.log(Stream::Output).map_or(0, |log| log.summary().kept_from);
    let size = pane.size();
    loop {
        let ended = cx.store().write(move |tx| {
            let Some(mut row) = rows::get(tx, pane_id)? else { return Ok(()) };
            let info = &mut row.info;
            let status = end.status;
            info.state = if status.is_some() { PaneState::Exited } else { PaneState::Lost };
            info.pid = None;
            info.exit_code = status.map(|status| status.code);
            info.signal = status.and_then(|status| status.signal);
            (info.output_bytes, info.output_from) = (len, from);
            info.size = size;
            info.exited_at = Some(at);
            rows::update(tx, info)?;
            let mut data = json!({
                "exit_code": info.exit_code, "signal": info.signal, "output_bytes": len,
            });
            if status.is_none() {
                data["lost"] = true.into();
            }
            orchflow_store::events::append(tx, at, [event(EventType::PaneExit, pane_id, data)])
                .map(drop)
        });
        match ended.await {
            Ok(()) => return true,
            Err(orchflow_store::Error::Closed) => {
                // The row still says it runs; the next start will call it lost.
                tracing::warn!(pane = %pane_id, "the database was closed before the end of a pane");
                return false;
            }
            Err(error) => {
                tracing::error!(pane = %pane_id, %error, "the end of a pane could not be written");
                let shutdown = cx.options().supervisor.shutdown();
                tokio::select! {
                    () = shutdown.cancelled() => return false,
                    () = tokio::time::sleep(AGAIN) => {}
                }
            }
        }
    }
}

async fn update_len(cx: &Manager, pane: &Pane) {
    let (pane_id, len) = (pane.id(), pane.log(Stream::Output).map_or(0, LogReader::len));
    let written = cx.store().write(move |tx| {
        let Some(mut row) = rows::get(tx, pane_id)? else { return Ok(()) };
        row.info.output_bytes = len;
        rows::update(tx, &row.info)
    });
    if let Err(error) = written.await {
        tracing::warn!(pane = %pane_id, %error, "the length of a pane's output was not written");
    }
}
