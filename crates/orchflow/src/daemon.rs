//! The daemon: takes the lock, begins the log, builds what it serves and tells that it is
//! ready.

use orchflow_client::Error;
use orchflow_types::ErrorKind;

use crate::instance::Instance;
use crate::logging;
use crate::places::Places;
use crate::ready::Ready;

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
    let result = serve(places, options).await;
    if let Err(error) = &result {
        ready.failed(error);
    }
    result
}

async fn serve(places: &Places, options: Options) -> Result<(), Error> {
    let _instance = Instance::acquire(places)?;
    logging::begin(places, true)
        .map_err(|error| Error::new(ErrorKind::File, format!("cannot write the log: {error}")))?;
    tracing::info!(?options, "starting");
    Err(Error::new(ErrorKind::Unsupported, "this build has no daemon"))
}
