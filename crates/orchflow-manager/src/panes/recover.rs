//! The beginning and the end of a manager: what a dead daemon left, and leaving nothing.

use std::convert::Infallible;
use std::time::Duration;

use orchflow_runtime::{TaskKind, process};
use orchflow_store::panes as rows;
use orchflow_terminal::LogReader;
use orchflow_types::EventType;
use orchflow_types::pane::PaneState;
use serde_json::json;

use super::event;
use crate::manager::blocking;
use crate::{Error, Manager, Recovered};

/// What a process is given to end by itself when everything ends.
const GRACE: Duration = Duration::from_secs(2);
/// The longest that the end of all panes is waited for.
const LONGEST: Duration = Duration::from_secs(10);

pub(crate) async fn recover(cx: &Manager) -> Result<Recovered, Error> {
    let processes = if cx.panes().all().is_empty() { sweep(cx).await? } else { 0 };
    let lost = if is_any_running(cx).await? { lose_running(cx).await? } else { 0 };
    Ok(Recovered { panes: lost, processes })
}

/// Whether a row says so. Nearly always none does, and then a start costs no fsync.
async fn is_any_running(cx: &Manager) -> Result<bool, Error> {
    let running = |tx: &orchflow_store::Reader<'_>| {
        Ok(!rows::list(tx, Some(PaneState::Running), None, 1)?.is_empty())
    };
    Ok(cx.store().read(running).await?)
}

async fn lose_running(cx: &Manager) -> Result<usize, Error> {
    let at = cx.options().clock.now();
    let lost = cx.store().write(move |tx| {
        let mut lost = rows::lose_running(tx, at)?;
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
    // What panes that ended before have left, in sessions of its own.
    if let Err(error) = sweep(cx).await {
        tracing::warn!(%error, "what panes left running was not ended");
    }
}

/// Kills every process that carries a mark of this home; answers how many.
async fn sweep(cx: &Manager) -> Result<usize, Error> {
    // The colon keeps a home whose mark only begins alike out of it.
    let prefix = format!("{}:", cx.options().mark);
    blocking("end what was left running", move || process::sweep(&prefix)).await
}
