//! The daemon: takes the lock, builds store, manager, orchestrator and doors, tells that it
//! is ready, serves until it is told to end.
//!
//! The wiring is the whole of it: the orchestrator reaches the manager through an endpoint
//! in this process, with the rows any other client would use.

mod configuration;
mod doctor;
mod system;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use orchflow_client::Error;
use orchflow_manager::Manager;
use orchflow_orchestrator::{Orchestrator, runs};
use orchflow_runtime::{Clock, Supervisor, TaskKind, env, process};
use orchflow_server::{Caller, Table, dispatch, http, serve_endpoint, unix};
use orchflow_store::Store;
use orchflow_terminal::muxd;
use orchflow_types::ErrorKind;
use tokio::signal::unix::{SignalKind, signal};

use crate::instance::Instance;
use crate::logging;
use crate::places::Places;
use crate::ready::Ready;

use configuration::Files;
use system::{Host, Parts};

/// How long tasks may take to end once the daemon is told to.
const ENDING: Duration = Duration::from_secs(10);

/// How a daemon is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The address of the TCP door; none keeps TCP off.
    pub listen: Option<String>,
}

/// Runs the daemon until it is told to end.
///
/// # Errors
/// When it cannot start; whoever started it was told the same through `ready`.
pub async fn run(places: &Places, options: Options, ready: Ready) -> Result<(), Error> {
    match Box::pin(start(places, options)).await {
        Ok(daemon) => {
            ready.ok();
            daemon.serve().await
        }
        Err(error) => {
            ready.failed(&error);
            Err(error)
        }
    }
}

/// A daemon whose doors are open.
struct Daemon {
    _instance: Instance,
    supervisor: Supervisor,
    store: Store,
    manager: Manager,
}

async fn start(places: &Places, options: Options) -> Result<Daemon, Error> {
    let instance = Instance::acquire_after_a_death(places).await?;
    logging::begin(places, true)
        .map_err(|error| Error::new(ErrorKind::File, format!("cannot write the log: {error}")))?;
    process::become_subreaper().map_err(|error| {
        Error::new(ErrorKind::Unsupported, format!("orphans cannot be adopted: {error}"))
    })?;
    let (clock, supervisor) = (Clock::system(), Supervisor::new());
    let (store, opened) = Store::open(&places.database(), clock.now())?;
    let health = opened.unclean.then(|| store.check_in_background());
    let manager = Manager::new(orchflow_manager::Options {
        store: store.clone(),
        clock: clock.clone(),
        supervisor: supervisor.clone(),
        logs: places.output(),
        worktrees: places.worktrees(),
        mark: places.mark(),
        shell: env::var("SHELL").unwrap_or_else(|| "/bin/sh".to_owned()),
        muxd: holder(places)?,
    });
    manager.recover().await?;
    let (client, endpoint) = orchflow_client::in_process();
    let files = Arc::new(Files::new(places.clone()));
    let orchestrator =
        Orchestrator::new(store.clone(), client, clock.clone(), supervisor.clone(), files);
    let host = Host::new(Parts {
        places,
        clock: &clock,
        supervisor: &supervisor,
        store: &store,
        manager: &manager,
        orchestrator: &orchestrator,
        health,
    });
    let table = table(&host, &manager, &orchestrator, &store);
    let (rows, tasks) = (table.clone(), supervisor.clone());
    let endpoint =
        async move { serve_endpoint(endpoint, rows, Caller::orchestrator(), tasks).await };
    supervisor.spawn(TaskKind::Vital, "endpoint", endpoint);
    let socket = unix::Options { path: places.socket().to_owned() }.bind(table.clone())?;
    // Before anybody is served: whoever asks for a run that a crash cut short must find it.
    let resumed = runs::resume_all(&orchestrator).await?;
    tracing::info!(resumed, "what was unfinished goes on");
    if let Some(address) = &options.listen {
        let (listen, token_file) = (loopback(address)?, places.token());
        let serves = http::Serves {
            table: table.clone(),
            store: store.clone(),
            gauges: system::gauges(&host),
        };
        let door = http::Options { listen, token_file }.bind(serves).await?;
        host.listens_at(door.address());
        supervisor.spawn(TaskKind::Vital, "http", door.run(supervisor.shutdown().clone()));
    }
    supervisor.spawn(TaskKind::Vital, "socket", socket.run(supervisor.shutdown().clone()));
    Ok(Daemon { _instance: instance, supervisor, store, manager })
}

/// The holder of terminals is this very program.
fn holder(places: &Places) -> Result<muxd::Options, Error> {
    let program = std::env::current_exe().map_err(|error| {
        Error::new(ErrorKind::Unavailable, format!("cannot find this program: {error}"))
    })?;
    let (program, door) = (program.display().to_string(), places.muxd());
    let start = vec![program, "muxd".into(), "--door".into(), door.display().to_string()];
    Ok(muxd::Options { door, start: Some(start) })
}

fn table(host: &Host, manager: &Manager, orchestrator: &Orchestrator, store: &Store) -> Table {
    let rows = dispatch::manager_rows(Table::builder(), manager);
    let rows = dispatch::orchestrator_rows(rows, orchestrator);
    system::rows(rows, host)
        .events(store)
        .streams(Arc::new(dispatch::Outputs(manager.clone())))
        .build()
}

fn loopback(address: &str) -> Result<SocketAddr, Error> {
    address.parse().map_err(|_| {
        Error::new(ErrorKind::InvalidParams, format!("`{address}` is not an address with a port"))
            .hint("for example: orchflow up --listen 127.0.0.1:7777")
    })
}

impl Daemon {
    /// Serves until it is told to end.
    async fn serve(self) -> Result<(), Error> {
        tracing::info!("ready");
        self.told_to_end().await;
        tracing::info!("ending");
        // Runs first: a pane that ends from here on is no outcome, its action stays committed.
        self.supervisor.shutdown().cancel();
        self.manager.shutdown().await;
        if tokio::time::timeout(ENDING, self.supervisor.wait()).await.is_err() {
            tracing::warn!(
                "some tasks did not end in time; the next start goes on from what is committed"
            );
        }
        self.store.close().await?;
        Ok(())
    }

    async fn told_to_end(&self) {
        let Ok((mut term, mut interrupt)) = signal(SignalKind::terminate())
            .and_then(|term| Ok((term, signal(SignalKind::interrupt())?)))
        else {
            return self.supervisor.shutdown().cancelled().await;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
            () = self.supervisor.shutdown().cancelled() => {}
        }
    }
}
