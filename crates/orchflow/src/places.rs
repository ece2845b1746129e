//! Where orchflow keeps things: configuration, state, sockets, logs. Paths only, and the
//! making of their folders; what is in the files belongs to whoever writes them.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use orchflow_runtime::env;

mod error;

pub use error::Error;
pub(crate) use error::kind_of;

/// The most bytes a socket's path may have: 108 with the closing NUL (unix(7)).
const SOCKET_PATH_MAX: usize = 107;

/// Every path orchflow uses, settled once per process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The one folder everything is under, when there is one.
    home: Option<PathBuf>,
    config: PathBuf,
    state: PathBuf,
    run: PathBuf,
    socket: PathBuf,
}

/// What the paths are made from; read from the environment by [`Places::find`].
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `ORCHFLOW_HOME`: everything under one folder.
    pub orchflow_home: Option<PathBuf>,
    /// `ORCHFLOW_CONFIG`: the user's configuration file.
    pub orchflow_config: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub xdg_config: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub xdg_state: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub xdg_runtime: Option<PathBuf>,
}

impl Places {
    /// The places of this process, from its environment. Makes nothing.
    ///
    /// # Errors
    /// [`Error::NoHome`].
    pub fn find() -> Result<Self, Error> {
        Self::from(&Given {
            orchflow_home: env::path("ORCHFLOW_HOME").map(absolute),
            orchflow_config: env::path("ORCHFLOW_CONFIG").map(absolute),
            home: env::home(),
            xdg_config: env::path("XDG_CONFIG_HOME").filter(|path| path.is_absolute()),
            xdg_state: env::path("XDG_STATE_HOME").filter(|path| path.is_absolute()),
            xdg_runtime: env::path("XDG_RUNTIME_DIR").filter(|path| path.is_absolute()),
        })
    }

    /// The places that follow from what is given.
    ///
    /// # Errors
    /// [`Error::NoHome`].
    pub fn from(given: &Given) -> Result<Self, Error> {
        let under_home = |path: &str| given.home.as_ref().map(|home| home.join(path));
        let (config_dir, state, run) = if let Some(home) = &given.orchflow_home {
            (home.clone(), home.clone(), home.join("run"))
        } else {
            let config = given.xdg_config.clone().or_else(|| under_home(".config"));
            let state = given.xdg_state.clone().or_else(|| under_home(".local/state"));
            let (Some(config), Some(state)) = (config, state) else { return Err(Error::NoHome) };
            let state = state.join("orchflow");
            let run = given.xdg_runtime.as_ref().map(|dir| dir.join("orchflow"));
            (config.join("orchflow"), state.clone(), run.unwrap_or_else(|| state.join("run")))
        };
        let config =
            given.orchflow_config.clone().unwrap_or_else(|| config_dir.join("config.toml"));
        let socket = run.join("orchflow.sock");
        let socket = if fits(&socket) { socket } else { short_dir(&run).join("orchflow.sock") };
        let home = given.orchflow_home.clone();
        Ok(Self { home, config, state, run, socket })
    }

    /// The user's configuration file.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The user's policy files.
    #[must_use]
    pub fn policies(&self) -> PathBuf {
        self.config.with_file_name("policies")
    }

    /// The variables that lead another process to the same places.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, &Path)> {
        let home = self.home.as_deref().map(|home| ("ORCHFLOW_HOME", home));
        home.into_iter().chain([("ORCHFLOW_CONFIG", self.config.as_path())]).collect()
    }

    /// What the marks of all children of daemons of these places begin with.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{:016x}", fnv1a(self.state.as_os_str().as_encoded_bytes()))
    }

    /// The folder of everything durable.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.state.join("state.db")
    }

    /// The folder of panes' output.
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.state.join("output")
    }

    /// The folder of logs.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// The log the daemon writes now; the one before it has `.1` at its end.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.logs().join("daemon.log")
    }

    /// The folder of worktrees: `PROJECT/TASK` below it.
    #[must_use]
    pub fn worktrees(&self) -> PathBuf {
        self.state.join("worktrees")
    }

    /// The folder of sockets, token and locks; private to the user.
    #[must_use]
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// The daemon's socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The socket of the holder of terminals, beside the daemon's.
    #[must_use]
    pub fn muxd(&self) -> PathBuf {
        self.socket.with_file_name("muxd.sock")
    }

    /// The token for the TCP doors.
    #[must_use]
    pub fn token(&self) -> PathBuf {
        self.run.join("token")
    }

    /// The lock that the one daemon holds for as long as it lives.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.run.join("daemon.lock")
    }

    /// The lock that whoever starts a daemon holds until it is ready.
    #[must_use]
    pub fn start_lock(&self) -> PathBuf {
        self.run.join("start.lock")
    }

    /// Makes the folders that must be there, the private ones with mode 0700.
    ///
    /// # Errors
    /// When one cannot be made, belongs to somebody else, or the socket has no place.
    pub fn prepare(&self) -> Result<(), Error> {
        for dir in [self.state.clone(), self.logs(), self.output(), self.run.clone()] {
            private(&dir)?;
        }
        let dir = self.socket.parent().unwrap_or(&self.run);
        if dir != self.run {
            let top = dir.parent().unwrap_or(dir);
            private(top).and_then(|()| private(dir)).map_err(|error| Error::SocketPathTooLong {
                path: self.run.join("orchflow.sock"),
                short: dir.to_owned(),
                source: Box::new(error),
            })?;
        }
        Ok(())
    }
}

fn fits(path: &Path) -> bool {
    path.as_os_str().len() <= SOCKET_PATH_MAX
}

/// A short folder of this user's, the same for the same `run` folder. Its place depends on
/// nothing but the user and that folder, so that every process finds the same socket.
fn short_dir(run: &Path) -> PathBuf {
    let uid = rustix::process::getuid().as_raw();
    let hash = fnv1a(run.as_os_str().as_encoded_bytes());
    PathBuf::from(format!("/tmp/orchflow-{uid}/{hash:016x}"))
}

// FNV-1a (draft-eastlake-fnv): the standard library's hash may differ between versions.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn private(dir: &Path) -> Result<(), Error> {
    let failed = |source| Error::Folder { path: dir.to_owned(), source };
    if let Some(parent) = dir.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    // Not followed: in a folder others may write to, a link could lead anywhere.
    let meta = dir.symlink_metadata().map_err(failed)?;
    let meta =
        if meta.is_symlink() && owned(&meta) { dir.metadata().map_err(failed)? } else { meta };
    if !meta.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    if !owned(&meta) {
        return Err(Error::Foreign { path: dir.to_owned() });
    }
    if meta.mode() & 0o077 != 0 {
        std::fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

fn owned(meta: &std::fs::Metadata) -> bool {
    meta.uid() == rustix::process::getuid().as_raw()
}

/// The path from the root, without asking whether it is there.
#[must_use]
pub fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(test)]
mod tests;
