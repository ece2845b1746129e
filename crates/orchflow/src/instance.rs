//! The locks that make one daemon of many starts. A lock dies with its holder, so a killed
//! daemon leaves nothing to clean up.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use orchflow_runtime::clock::Stopwatch;
use orchflow_runtime::process;
use orchflow_types::{ErrorKind, Explain};
use rustix::fs::FlockOperation;

use crate::places::{self, Places};

/// The longest a half-born child of a dead daemon is waited for, and the time between two looks.
const BIRTH: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

/// Held by the one daemon for as long as it lives.
#[derive(Debug)]
pub struct Instance(#[expect(dead_code, reason = "the lock is held by holding the file")] File);

/// Held by whoever starts a daemon, until it is ready or has failed.
#[derive(Debug)]
pub struct Starting(#[expect(dead_code, reason = "the lock is held by holding the file")] File);

/// Why the lock is not ours.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another daemon of this user holds it.
    #[error("another daemon runs already{}", pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// Its process id, as it wrote it.
        pid: Option<u32>,
    },
    /// The folder of the lock cannot be used.
    #[error(transparent)]
    Place(#[from] places::Error),
    /// The lock file could not be opened or locked.
    #[error("cannot lock {}", path.display())]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyRunning { .. } => ErrorKind::AlreadyRunning,
            Self::Place(error) => error.kind(),
            Self::File { source, .. } => places::kind_of(source),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::AlreadyRunning { .. } => {
                Some("`orchflow status` talks to it, `orchflow down` ends it".into())
            }
            Self::Place(error) => error.hint(),
            Self::File { path, source } => (places::kind_of(source) == ErrorKind::StorageFull)
                .then(|| format!("`df -h {}` shows how full the disk is", path.display())),
        }
    }
}

impl Instance {
    /// Makes this process the one daemon, or says who is.
    ///
    /// # Errors
    /// [`Error::AlreadyRunning`]; or when the lock cannot be used.
    pub fn acquire(places: &Places) -> Result<Self, Error> {
        places.prepare()?;
        let path = places.lock();
        let failed = |source| Error::File { path: path.clone(), source };
        let mut file = open(&path).map_err(failed)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text); // only for the message
                return Err(Error::AlreadyRunning { pid: text.trim().parse().ok() });
            }
            Err(error) => return Err(failed(error.into())),
        }
        let pid = format!("{}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(pid.as_bytes()))
            .map_err(failed)?;
        Ok(Self(file))
    }

    /// The same, after a daemon that was killed a moment ago: a child it was just giving birth
    /// to holds the lock with it, until it has become its own program.
    ///
    /// # Errors
    /// As [`Instance::acquire`].
    pub async fn acquire_after_a_death(places: &Places) -> Result<Self, Error> {
        let watch = Stopwatch::start();
        loop {
            match Self::acquire(places) {
                Err(Error::AlreadyRunning { pid: Some(pid) })
                    if is_dead(pid) && watch.elapsed() < BIRTH =>
                {
                    tokio::time::sleep(LOOK).await;
                }
                other => return other,
            }
        }
    }

    /// Waits, without looking again and again, until no daemon holds the lock. Blocks.
    ///
    /// # Errors
    /// When the lock cannot be used.
    pub fn wait_until_free(places: &Places) -> Result<(), Error> {
        let path = places.lock();
        match OpenOptions::new().read(true).open(&path) {
            Ok(file) => lock(&file, FlockOperation::LockShared),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|source| Error::File { path, source })
    }
}

impl Starting {
    /// Waits for its turn to start a daemon. Blocks.
    ///
    /// # Errors
    /// When the lock cannot be used.
    pub fn acquire(places: &Places) -> Result<Self, Error> {
        places.prepare()?;
        let path = places.start_lock();
        let file = open(&path).and_then(|file| {
            lock(&file, FlockOperation::LockExclusive)?;
            Ok(file)
        });
        file.map(Self).map_err(|source| Error::File { path, source })
    }
}

fn is_dead(pid: u32) -> bool {
    process::start_time(pid).is_none_or(|started| !process::is_alive(pid, started))
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn lock(file: &File, how: FlockOperation) -> std::io::Result<()> {
    loop {
        match rustix::fs::flock(file, how) {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.map_err(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::Given;

    #[test]
    fn the_second_daemon_is_told_who_the_first_is_and_a_dead_one_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let given = Given { orchflow_home: Some(dir.path().to_owned()), ..Given::default() };
        let places = Places::from(&given).unwrap();
        let first = Instance::acquire(&places).unwrap();
        let error = Instance::acquire(&places).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyRunning);
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        drop(first);
        Instance::wait_until_free(&places).unwrap();
        Instance::acquire(&places).unwrap();
    }

    #[tokio::test]
    async fn a_lock_that_outlives_its_daemon_for_a_moment_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let given = Given { orchflow_home: Some(dir.path().to_owned()), ..Given::default() };
        let places = Places::from(&given).unwrap();
        let held = Instance::acquire(&places).unwrap();
        std::fs::write(places.lock(), "999999999\n").unwrap();
        let mut taken = Box::pin(Instance::acquire_after_a_death(&places));
        let early = tokio::time::timeout(LOOK * 4, &mut taken).await;
        assert!(early.is_err(), "it is held still");
        drop(held);
        taken.await.unwrap();
    }
}
