//! The beginning and the end of a manager: what a dead daemon left, and leaving nothing.

use std::convert::Infallible;
use std::time::Duration;

use orchflow_runtime::{TaskKind, process};
use orchflow_store::panes as rows;
use orchflow_terminal::muxd::Found;
use orchflow_terminal::{LogReader, Pane};
use orchflow_types::pane::PaneState;
use orchflow_types::{EventType, PaneId};
use serde_json::json;

use super::{Live, event, mark};
use crate::manager::blocking;
use crate::{Error, Manager, Recovered};

/// What a process is given to end by itself when everything ends.
const GRACE: Duration = Duration::from_secs(2);
/// The longest that the end of all panes is waited for.
const LONGEST: Duration = Duration::from_secs(10);

pub(crate) async fn recover(cx: &Manager) -> Result<Recovered, Error> {
    let kept = take_over(cx).await?;
    let marks = kept.iter().map(|pane| mark(cx, *pane)).collect();
    let processes = sweep(cx, marks).await?;
    let count = kept.len();
    let any = is_any_running(cx, kept.clone()).await?;
    let lost = if any { lose_running(cx, kept).await? } else { 0 };
    Ok(Recovered { kept: count, panes: lost, processes })
}

/// Whether a row says so of a pane that is not kept. Nearly always none does, and then a start
/// costs no fsync.
async fn is_any_running(cx: &Manager, kept: Vec<PaneId>) -> Result<bool, Error> {
    let running = move |tx: &orchflow_store::Reader<'_>| {
        let running = rows::list(tx, Some(PaneState::Running), None, u32::MAX)?;
        Ok(running.iter().any(|pane| !kept.contains(&pane.info.pane_id)))
    };
    Ok(cx.store().read(running).await?)
}

async fn lose_running(cx: &Manager, kept: Vec<PaneId>) -> Result<usize, Error> {
    let at = cx.options().clock.now();
    let lost = cx.store().write(move |tx| {
        let mut lost = rows::lose_running(tx, at, &kept)?;
        let mut told = Vec::new();
        for pane in &mut lost {
            if let Ok(log) = LogReader::open(&pane.log) {
                let summary = log.summary();
                pane.info.output_bytes = summary.len;
                pane.info.output_from = summary.kept_from;
                rows::update(tx, &pane.info)?;
            }
            let data = json!({
                "exit_code": null, "signal": null, "output_bytes": pane.info.output_bytes,
                "lost": true,
            });
            told.push(event(EventType::PaneExit, pane.info.pane_id, data));
        }
        orchflow_store::events::append(tx, at, told)?;
        Ok(lost.len())
    });
    Ok(lost.await?)
}

/// Takes the panes over that the holder has and that are a person's own. What a run started
/// is ended: the run begins that step again, and its agent must not be at work twice.
async fn take_over(cx: &Manager) -> Result<Vec<PaneId>, Error> {
    let (mut kept, mut others) = (Vec::new(), Vec::new());
    for found in cx.muxd().found().await? {
        let pane_id = found.pane_id;
        let row = cx.store().read(move |tx| rows::get_with_key(tx, pane_id)).await?;
        let goes_on =
            row.is_some_and(|(row, key)| key.is_none() && row.info.state == PaneState::Running);
        if !goes_on {
            others.push(found);
            continue;
        }
        match Pane::adopt(&found, mark(cx, pane_id), &cx.options().supervisor) {
            Ok(pane) => {
                let (written, end) = tokio::sync::watch::channel(None);
                cx.panes().insert(Live { pane: pane.clone(), end });
                super::watch::start(cx, pane, written);
                kept.push(pane_id);
            }
            Err(error) => {
                tracing::error!(pane = %pane_id, %error, "a pane cannot be taken over");
                others.push(found);
            }
        }
    }
    Found::end_all(others).await;
    Ok(kept)
}

pub(crate) async fn shutdown(cx: &Manager) {
    cx.panes().close();
    let supervisor = &cx.options().supervisor;
    let ending = cx.panes().all().into_iter().map(|live| {
        supervisor.spawn(TaskKind::Pane, "pane shutdown", async move {
            live.pane.kill(GRACE).await;
            live.written().await;
            Ok::<_, Infallible>(())
        })
    });
    let ending: Vec<_> = ending.collect();
    let all = async {
        for end in ending {
            let _ = end.await;
        }
    };
    if tokio::time::timeout(LONGEST, all).await.is_err() {
        tracing::warn!("not every pane ended in time");
    }
    cx.muxd().quit(GRACE).await;
    // What panes that ended before have left, in sessions of its own.
    if let Err(error) = sweep(cx, Vec::new()).await {
        tracing::warn!(%error, "what panes left running was not ended");
    }
}

/// Kills every process that carries a mark of this home, but those of panes that are kept;
/// answers how many.
async fn sweep(cx: &Manager, keep: Vec<String>) -> Result<usize, Error> {
    // The colon keeps a home whose mark only begins alike out of it.
    let prefix = format!("{}:", cx.options().mark);
    blocking("end what was left running", move || process::sweep_but(&prefix, &keep)).await
}
