//! `orchflow muxd`: the process that holds terminals. The daemon starts it; no person needs to.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use orchflow_client::Error;
use orchflow_runtime::{Supervisor, process};
use orchflow_types::ErrorKind;
use rustix::fs::FlockOperation;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::stop::Ended;

/// How long it stays without a pane and without a daemon.
const LONELY: Duration = Duration::from_secs(60);

/// What `muxd` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its socket
    #[arg(long, value_name = "PATH")]
    door: PathBuf,
}

/// Does it: holds terminals until it is told to quit. Where another does so already, nothing.
pub(crate) async fn run(args: &Args) -> Ended {
    let failed = |what: &str, error: &std::io::Error| {
        Error::new(ErrorKind::Unavailable, format!("{what} {}: {error}", args.door.display()))
    };
    let lock = lock(&args.door).map_err(|error| failed("cannot lock", &error))?;
    let Some(_held) = lock else { return Ok(()) };
    process::become_subreaper().map_err(|error| failed("cannot adopt orphans at", &error))?;
    let door = open(&args.door).map_err(|error| failed("cannot listen at", &error))?;
    let supervisor = Supervisor::new();
    let ended = tokio::select! {
        ended = orchflow_terminal::muxd::serve(door, supervisor.clone(), LONELY) => ended,
        told = told_to_end(&supervisor) => told,
    };
    let _ = std::fs::remove_file(&args.door); // the lock says whose it is
    supervisor.shutdown().cancel();
    supervisor.wait().await;
    ended.map_err(|error| failed("cannot serve", &error))?;
    Ok(())
}

/// Ends every pane when it is told to end; the end of its terminal is none of its business.
async fn told_to_end(supervisor: &Supervisor) -> std::io::Result<()> {
    let (mut term, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    loop {
        tokio::select! {
            _ = term.recv() => supervisor.shutdown().cancel(),
            _ = hangup.recv() => {}
        }
    }
}

/// The lock of the one holder at this door; none when another has it.
fn lock(door: &Path) -> std::io::Result<Option<File>> {
    let path = door.with_extension("lock");
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            file.set_len(0)?;
            writeln!(&file, "{}", std::process::id())?; // for people, and for tests
            Ok(Some(file))
        }
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn open(door: &Path) -> std::io::Result<UnixListener> {
    // Whoever had it is gone: we hold the lock.
    match std::fs::remove_file(door) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(door)?;
    std::fs::set_permissions(door, Permissions::from_mode(0o600))?;
    Ok(listener)
}
