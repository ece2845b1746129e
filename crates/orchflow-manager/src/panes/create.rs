//! `pane.create`: a process, its row and its event, or none of them.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orchflow_protocol::pane::{CreateParams, CreateResult};
use orchflow_runtime::{TaskKind, ids};
use orchflow_store::panes as rows;
use orchflow_terminal::{Pane, PaneEnd, PaneSpec, Stream};
use orchflow_types::pane::{PaneInfo, PaneState};
use orchflow_types::{EventType, PaneId};
use serde_json::json;
use tokio::sync::{oneshot, watch};

use super::{Live, event, watch as end};
use crate::manager::folder;
use crate::{Error, Manager};

/// Starts a process in a new pane. The same idempotency key again answers the pane that was
/// made the first time.
///
/// # Errors
/// The folder is not absolute or not there, the program cannot be started, or the database
/// cannot be written: no process is left then.
pub async fn create(cx: Manager, params: CreateParams) -> Result<CreateResult, Error> {
    let Some(key) = params.idempotency_key.clone() else {
        return make(&cx, params).await.map(|pane_id| CreateResult { pane_id });
    };
    // A caller that goes away may ask again, and must then find the pane alive.
    let (answer, answered) = oneshot::channel();
    let supervisor = cx.options().supervisor.clone();
    let work = async move {
        let _ = answer.send(make_once(&cx, params, &key).await);
        Ok::<_, Infallible>(())
    };
    supervisor.spawn(TaskKind::Request, "pane create", work);
    let made = answered.await.map_err(|_| Error::Fault { attempted: "make a pane" })?;
    made.map(|pane_id| CreateResult { pane_id })
}

async fn make_once(cx: &Manager, params: CreateParams, key: &str) -> Result<PaneId, Error> {
    let turn = cx.panes().turn(key);
    let result = {
        let _mine = turn.lock().await;
        let wanted = key.to_owned();
        match cx.store().read(move |tx| rows::by_key(tx, &wanted)).await {
            Ok(Some(there)) => Ok(there),
            Ok(None) => make(cx, params).await,
            Err(error) => Err(error.into()),
        }
    };
    cx.panes().took(key, turn);
    result
}

async fn make(cx: &Manager, params: CreateParams) -> Result<PaneId, Error> {
    if cx.panes().is_closing() || cx.options().supervisor.shutdown().is_cancelled() {
        return Err(Error::Closing);
    }
    let pane_id: PaneId = ids::mint(&cx.options().clock);
    let spec = spec(cx, pane_id, &params)?;
    let pane = cx.muxd().spawn(spec.clone()).await?;
    let info = first_info(cx, &spec, &pane, params.title);
    let log = spec.log_path(Stream::Output);
    let (written, end) = watch::channel(None);
    // Before the commit: who hears of the pane must find it.
    cx.panes().insert(Live { pane: pane.clone(), end });
    let unborn = Unborn { cx: cx.clone(), parts: Some((pane, written)) };
    let key = params.idempotency_key;
    let created = cx.store().write(move |tx| {
        rows::insert(tx, &info, &log, key.as_deref())?;
        let told = event(
            EventType::PaneCreated,
            pane_id,
            json!({ "title": info.title, "command": info.command, "cwd": info.cwd, "tty": info.tty }),
        );
        orchflow_store::events::append(tx, info.created_at, [told]).map(drop)
    });
    created.await?;
    unborn.born();
    // A shutdown that began in the meantime has not seen this pane.
    if cx.panes().is_closing()
        && let Some(live) = cx.panes().get(pane_id)
    {
        live.pane.kill(Duration::ZERO).await;
    }
    Ok(pane_id)
}

fn spec(cx: &Manager, pane_id: PaneId, params: &CreateParams) -> Result<PaneSpec, Error> {
    let cwd = match params.cwd.as_deref() {
        Some(dir) => folder(dir)?.to_owned(),
        None => orchflow_runtime::env::home().unwrap_or_else(|| PathBuf::from("/")),
    };
    let mut words = params.command.iter().chain(params.env.keys()).chain(params.env.values());
    if let Some(bad) = words.find(|word| word.contains('\0')) {
        let given = bad.replace('\0', "\\0");
        return Err(Error::BadParam { given, what: "a word of a command or its environment" });
    }
    if let Some(bad) = params.env.keys().find(|name| name.is_empty() || name.contains('=')) {
        return Err(Error::BadParam { given: bad.clone(), what: "the name of a variable" });
    }
    let argv = match params.command.as_slice() {
        [] => vec![cx.options().shell.clone()],
        words => words.to_vec(),
    };
    let spec = PaneSpec::new(pane_id, argv, cwd, &cx.options().logs);
    Ok(PaneSpec {
        env: params.env.clone(),
        tty: params.tty,
        size: params.size.unwrap_or_default(),
        mark: super::mark(cx, pane_id),
        ..spec
    })
}

fn first_info(cx: &Manager, spec: &PaneSpec, pane: &Pane, title: String) -> PaneInfo {
    let program = spec.argv.first().map_or("", String::as_str);
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    PaneInfo {
        pane_id: spec.pane_id,
        title: if title.is_empty() { name.into_owned() } else { title },
        command: spec.argv.clone(),
        cwd: spec.cwd.display().to_string(),
        tty: spec.tty,
        pid: Some(pane.pid()),
        state: PaneState::Running,
        exit_code: None,
        signal: None,
        output_bytes: 0,
        output_from: 0,
        size: pane.size(),
        created_at: cx.options().clock.now(),
        exited_at: None,
    }
}

/// A process nobody knows to be written down yet. Dropped like that, because the write failed
/// or the caller went away in the middle, it is ended; its end is written if its birth was.
struct Unborn {
    cx: Manager,
    parts: Option<(Pane, watch::Sender<Option<PaneEnd>>)>,
}

impl Unborn {
    fn born(mut self) {
        if let Some((pane, written)) = self.parts.take() {
            end::start(&self.cx, pane, written);
        }
    }
}

impl Drop for Unborn {
    fn drop(&mut self) {
        let Some((pane, written)) = self.parts.take() else { return };
        end::start(&self.cx, pane.clone(), written);
        let kill = async move {
            pane.kill(Duration::ZERO).await;
            Ok::<_, Infallible>(())
        };
        self.cx.options().supervisor.spawn(TaskKind::Pane, "unwanted pane", kill);
    }
}
