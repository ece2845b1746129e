//! From a command to a daemon: connects, and starts one when there is none.

use std::path::Path;
use std::time::Duration;

use orchflow_client::{Client, Error};
use orchflow_protocol::system::Hello;
use orchflow_runtime::env;
use orchflow_runtime::process::{self, Spec, Stdio};
use orchflow_types::ErrorKind;

use crate::instance::{Instance, Starting};
use crate::places::Places;
use crate::ready::{self, Pipe};

/// How long an ending daemon may take before a start gives up on it.
const ENDING: Duration = Duration::from_secs(20);

/// The daemon, if one runs.
///
/// # Errors
/// When what runs there is of another version, or is no orchflow.
pub async fn running(places: &Places) -> Result<Option<(Client, Hello)>, Error> {
    match orchflow_client::connect(places.socket()).await {
        Ok(connected) => Ok(Some(connected)),
        Err(error) if error.kind() == ErrorKind::Unavailable => Ok(None),
        Err(error) => Err(error),
    }
}

/// The daemon; started when none runs. Of many at once one starts it, the others wait.
///
/// # Errors
/// As [`running`], and what a daemon that could not start said.
pub async fn daemon(places: &Places, listen: Option<&str>) -> Result<(Client, Hello), Error> {
    if let Some(connected) = running(places).await? {
        return Ok(connected);
    }
    let turn = places.clone();
    let starting =
        blocking(move || Starting::acquire(&turn).map_err(|error| Error::explain(&error)));
    let _starting = starting.await?;
    if let Some(connected) = running(places).await? {
        return Ok(connected);
    }
    match start(places, listen).await {
        // One that is on its way out still holds the lock; it answers nobody any more.
        Err(error) if error.kind() == ErrorKind::AlreadyRunning => {
            gone(places, ENDING).await.map_err(|_| error)?;
            start(places, listen).await?;
        }
        other => other?,
    }
    orchflow_client::connect(places.socket()).await
}

/// Waits until the daemon's process has ended.
///
/// # Errors
/// `timeout` when it has not after `limit`.
pub async fn gone(places: &Places, limit: Duration) -> Result<(), Error> {
    let held = places.clone();
    let free =
        blocking(move || Instance::wait_until_free(&held).map_err(|error| Error::explain(&error)));
    tokio::time::timeout(limit, free).await.unwrap_or_else(|_| {
        let text = format!("the daemon has not ended after {} seconds", limit.as_secs());
        Err(Error::new(ErrorKind::Timeout, text).hint("`orchflow logs` says what it waits for"))
    })
}

async fn start(places: &Places, listen: Option<&str>) -> Result<(), Error> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Unavailable, format!("cannot start the daemon: {what}: {error}"))
    };
    let program = std::env::current_exe().map_err(|error| failed("its program", &error))?;
    let pipe = Pipe::new().map_err(|error| failed("a pipe", &error))?;
    let spec = command(&program, places, listen, pipe.number());
    process::spawn(&spec).map_err(|error| Error::explain(&error))?;
    blocking(move || pipe.wait()).await
}

fn command(program: &Path, places: &Places, listen: Option<&str>, ready: i32) -> Spec {
    let mut argv: Vec<std::ffi::OsString> =
        vec![program.into(), "up".into(), "--foreground".into()];
    if let Some(address) = listen {
        argv.extend(["--listen".into(), address.into()]);
    }
    // The daemon needs what its user set, provider keys included; its children get less.
    let mut env = env::all();
    env.extend(places.variables().into_iter().map(|(name, path)| (name.into(), path.into())));
    env.push((ready::VARIABLE.into(), ready.to_string().into()));
    // It holds no folder of the user's, so that any may be unmounted or deleted.
    let spec = Spec::new(argv, places.state());
    Spec { env, stdio: Stdio::Null, mark: "daemon".into(), ..spec }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Internal, format!("waiting for the daemon failed: {error}")))
    })
}
