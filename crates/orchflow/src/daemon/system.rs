//! `system.*` and `config.*`: the process itself and its settings files.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use orchflow_client::Error;
use orchflow_manager::Manager;
use orchflow_orchestrator::Orchestrator;
use orchflow_protocol::config::{self, GetParams, SetParams, Setting, ShowParams, ShowResult};
use orchflow_protocol::method::Empty;
use orchflow_protocol::system::{
    self, Check, DoctorParams, DoctorResult, HealthResult, InfoResult,
};
use orchflow_protocol::trust::{DirParams, TrustFile};
use orchflow_runtime::{Clock, Supervisor};
use orchflow_server::Rows;
use orchflow_server::http::{Gauge, Gauges};
use orchflow_store::{Health, Store, events, runs, tasks};
use orchflow_types::Timestamp;
use tokio::sync::watch;

use super::doctor;
use crate::places::Places;
use crate::settings::noun;

/// What the daemon knows of itself. Cheap to clone.
#[derive(Clone)]
pub(super) struct Host(Arc<Inner>);

pub(super) struct Inner {
    pub(super) places: Places,
    pub(super) store: Store,
    pub(super) manager: Manager,
    pub(super) orchestrator: Orchestrator,
    supervisor: Supervisor,
    started_at: Timestamp,
    /// The check of the database after an unclean stop.
    health: Option<watch::Receiver<Health>>,
    http: OnceLock<SocketAddr>,
}

impl std::ops::Deref for Host {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What a host is made of.
pub(super) struct Parts<'d> {
    pub(super) places: &'d Places,
    pub(super) clock: &'d Clock,
    pub(super) supervisor: &'d Supervisor,
    pub(super) store: &'d Store,
    pub(super) manager: &'d Manager,
    pub(super) orchestrator: &'d Orchestrator,
    pub(super) health: Option<watch::Receiver<Health>>,
}

impl Host {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        Self(Arc::new(Inner {
            places: parts.places.clone(),
            store: parts.store.clone(),
            manager: parts.manager.clone(),
            orchestrator: parts.orchestrator.clone(),
            supervisor: parts.supervisor.clone(),
            started_at: parts.clock.now(),
            health: parts.health,
            http: OnceLock::new(),
        }))
    }

    /// Says where the TCP door is, once it is open.
    pub(super) fn listens_at(&self, address: SocketAddr) {
        let _ = self.http.set(address); // there is one TCP door
    }
}

/// Adds the rows of this file.
pub(super) fn rows<S: Clone + Send + Sync + 'static>(rows: Rows<S>, host: &Host) -> Rows<Host> {
    rows.with(host)
        .on::<system::Info>(info)
        .on::<system::Health>(health)
        .on::<system::Doctor>(doctor)
        .on::<system::Shutdown>(shutdown)
        .on::<config::Get>(get)
        .on::<config::Set>(set)
        .on::<config::Show>(show)
}

async fn info(host: Host, _: Empty) -> Result<InfoResult, Error> {
    let read = |reader: &orchflow_store::Reader<'_>| {
        let tasks: u64 = tasks::count_by_status(reader)?.into_iter().map(|(_, count)| count).sum();
        Ok((tasks, runs::count_unfinished(reader)?, events::last(reader)?))
    };
    let (tasks, runs, cursor) = host.store.read(read).await?;
    Ok(InfoResult {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: orchflow_protocol::VERSION.to_owned(),
        socket: host.places.socket().display().to_string(),
        http: host.http.get().map(|address| format!("http://{address}")),
        token_file: host.http.get().map(|_| host.places.token().display().to_string()),
        started_at: host.started_at,
        sessions: 0,
        panes: host.manager.counts().panes,
        tasks,
        runs,
        cursor,
    })
}

async fn health(host: Host, _: Empty) -> Result<HealthResult, Error> {
    let checks = vec![database(&host).await];
    Ok(HealthResult { ok: checks.iter().all(|check| check.ok), checks })
}

/// Whether the database answers, and what the check after an unclean stop found.
pub(super) async fn database(host: &Host) -> Check {
    let answered = host.store.read(events::last).await;
    let found = match (answered, host.health.as_ref().map(|health| health.borrow().clone())) {
        (Err(error), _) => Err(error.to_string()),
        (Ok(_), Some(Health::Damaged(found))) => Err(format!("damaged: {}", found.join("; "))),
        (Ok(_), Some(Health::Unknown(error))) => Err(format!("it could not be checked: {error}")),
        (Ok(_), Some(Health::Checking)) => {
            Ok("answers; being checked after an unclean stop".to_owned())
        }
        (Ok(_), Some(Health::Sound)) => {
            Ok("answers; checked after an unclean stop, sound".to_owned())
        }
        (Ok(_), None) => Ok("answers".to_owned()),
    };
    Check {
        group: "daemon".to_owned(),
        name: "database".to_owned(),
        ok: found.is_ok(),
        required: true,
        mend: found
            .is_err()
            .then(|| "docs/errors/storage_corrupt.md says how to restore a backup".to_owned()),
        found: found.unwrap_or_else(|problem| problem),
    }
}

async fn doctor(host: Host, params: DoctorParams) -> Result<DoctorResult, Error> {
    doctor::examine(&host, params.dir).await
}

async fn shutdown(host: Host, _: Empty) -> Result<Empty, Error> {
    host.supervisor.shutdown().cancel();
    Ok(Empty {})
}

async fn get(host: Host, params: GetParams) -> Result<Setting, Error> {
    let trusted = trusted(&host, params.dir.as_deref()).await?;
    noun::get(&host.places, &params, &trusted)
}

async fn set(host: Host, params: SetParams) -> Result<Setting, Error> {
    noun::set(&host.places, &params)
}

async fn show(host: Host, params: ShowParams) -> Result<ShowResult, Error> {
    let trusted = trusted(&host, params.dir.as_deref()).await?;
    noun::show(&host.places, params.dir.as_deref(), &trusted)
}

/// The files of a project that count.
async fn trusted(host: &Host, dir: Option<&str>) -> Result<Vec<TrustFile>, Error> {
    match dir {
        None => Ok(Vec::new()),
        Some(dir) => {
            let params = DirParams { dir: dir.to_owned() };
            let looked = orchflow_manager::trust::get(host.manager.clone(), params).await?;
            Ok(looked.trusted_files().to_vec())
        }
    }
}

/// What `/metrics` shows of the nouns.
pub(super) fn gauges(host: &Host) -> Gauges {
    let host = host.clone();
    Gauges::new(move || {
        let host = host.clone();
        Box::pin(async move {
            let counted = host.store.read(tasks::count_by_status).await?;
            let mut gauges: Vec<Gauge> = counted
                .into_iter()
                .map(|(status, value)| Gauge {
                    name: "orchflow_tasks",
                    help: "Tasks by where they stand.",
                    label: Some(("status", format!("{status:?}").to_lowercase())),
                    value,
                })
                .collect();
            let unfinished = host.store.read(runs::count_unfinished).await?;
            let count = |name, help, value| Gauge { name, help, label: None, value };
            gauges.push(count(
                "orchflow_runs_unfinished",
                "Runs that are not finished.",
                unfinished,
            ));
            gauges.push(count(
                "orchflow_panes_running",
                "Panes whose process runs.",
                host.manager.counts().panes,
            ));
            Ok(gauges)
        })
    })
}
