//! The handle every noun takes, and what the binary gives it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use orchflow_runtime::{Clock, Supervisor};
use orchflow_store::Store;
use orchflow_terminal::muxd::{self, Muxd};

use crate::Error;
use crate::panes::Registry;

/// What a manager is made of; all of it is the binary's to settle.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where rows and events go.
    pub store: Store,
    /// Where moments come from.
    pub clock: Clock,
    /// What the tasks of panes run under; its shutdown ends them.
    pub supervisor: Supervisor,
    /// The folder of the logs of panes, absolute; made when it is not there.
    pub logs: PathBuf,
    /// The folder of worktrees, absolute; made when it is not there.
    pub worktrees: PathBuf,
    /// What the marks of all processes of this home begin with; no other home's mark may
    /// begin with this and a colon.
    pub mark: String,
    /// The program a pane without a command runs.
    pub shell: String,
    /// Where the holder of terminals is, and how it is started.
    pub muxd: muxd::Options,
}

/// A manager of this machine's terminals and folders. Cheap to clone; clones are one.
#[derive(Debug, Clone)]
pub struct Manager(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    muxd: Muxd,
    panes: Registry,
}

/// How much there is of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Panes whose process runs.
    pub panes: u64,
}

/// What a daemon that died had left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Panes that go on as if nothing had happened.
    pub kept: usize,
    /// Panes that are lost.
    pub panes: usize,
    /// Processes of theirs that still ran and were ended.
    pub processes: usize,
}

impl Manager {
    /// A manager with no panes yet; [`Manager::recover`] comes next.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let muxd = Muxd::new(options.muxd.clone(), options.supervisor.clone());
        Self(Arc::new(Inner { options, muxd, panes: Registry::default() }))
    }

    /// Takes over the panes that a daemon before this one left with the holder of terminals,
    /// marks those as lost that it has not, and ends what else was left running. Call once,
    /// before the first pane is made: every process with a mark of this home counts as left.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn recover(&self) -> Result<Recovered, Error> {
        crate::panes::recover(self).await
    }

    /// Ends every pane, politely and all at once, with all that ended ones left running, and
    /// makes no new ones; returns when their rows are written, or after some seconds without.
    pub async fn shutdown(&self) {
        crate::panes::shutdown(self).await;
    }

    /// How much there is of what.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { panes: self.panes().running() }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.options.store
    }

    pub(crate) fn muxd(&self) -> &Muxd {
        &self.0.muxd
    }

    pub(crate) fn panes(&self) -> &Registry {
        &self.0.panes
    }
}

/// Runs what waits for the disk where that holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    attempted: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Fault { attempted })
}

/// A folder that a caller named: absolute, and there.
pub(crate) fn folder(dir: &str) -> Result<&Path, Error> {
    let path = Path::new(dir);
    if !path.is_absolute() {
        return Err(Error::RelativePath { path: path.to_owned() });
    }
    if !path.is_dir() {
        return Err(Error::NoFolder { path: path.to_owned() });
    }
    Ok(path)
}
