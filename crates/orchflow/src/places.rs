//! Where orchflow keeps things: configuration, state, sockets, logs. Paths only, and the
//! making of their folders; what is in the files belongs to whoever writes them.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use orchflow_runtime::env;
use orchflow_types::{ErrorKind, Explain};

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

/// Why there is no place for something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `ORCHFLOW_HOME` nor `HOME` is set.
    #[error("there is no home folder: neither ORCHFLOW_HOME nor HOME is set")]
    NoHome,
    /// The path is longer than a socket's may be, and the short folder cannot be used.
    #[error(
        "the socket path {} is longer than {SOCKET_PATH_MAX} bytes, and the short folder {} cannot be used",
        path.display(), short.display()
    )]
    SocketPathTooLong {
        /// The path as it should be.
        path: PathBuf,
        /// The folder that would have been used instead.
        short: PathBuf,
        /// Why it cannot be.
        #[source]
        source: Box<Error>,
    },
    /// A folder could not be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A private folder belongs to somebody else.
    #[error("the folder {} belongs to another user", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoHome => ErrorKind::Config,
            Self::SocketPathTooLong { .. } => ErrorKind::SocketPathTooLong,
            Self::Folder { source, .. } => kind_of(source),
            Self::Foreign { .. } => ErrorKind::PermissionDenied,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoHome => "set ORCHFLOW_HOME to a folder orchflow may write to".into(),
            Self::SocketPathTooLong { .. } => "set ORCHFLOW_HOME to a shorter path".into(),
            Self::Folder { path, source } if kind_of(source) == ErrorKind::StorageFull => {
                format!("`df -h {}` shows how full the disk is", path.display())
            }
            Self::Folder { path, .. } => {
                format!("`ls -ld {}` shows who may write there", path.display())
            }
            Self::Foreign { .. } => "set ORCHFLOW_HOME to a folder of your own".into(),
        })
    }
}

/// What it means to a user that a file of ours could not be written.
pub(crate) fn kind_of(source: &io::Error) -> ErrorKind {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::StorageFull,
        _ => ErrorKind::File,
    }
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
mod tests {
    use super::*;

    fn given(orchflow_home: Option<&str>, runtime: Option<&str>) -> Given {
        Given {
            orchflow_home: orchflow_home.map(PathBuf::from),
            home: Some("/home/ada".into()),
            xdg_runtime: runtime.map(PathBuf::from),
            ..Given::default()
        }
    }

    #[test]
    fn without_orchflow_home_everything_stands_where_xdg_says() {
        let places = Places::from(&given(None, Some("/run/user/7"))).unwrap();
        assert_eq!(places.config(), Path::new("/home/ada/.config/orchflow/config.toml"));
        assert_eq!(places.database(), Path::new("/home/ada/.local/state/orchflow/state.db"));
        assert_eq!(places.worktrees(), Path::new("/home/ada/.local/state/orchflow/worktrees"));
        assert_eq!(places.socket(), Path::new("/run/user/7/orchflow/orchflow.sock"));
        assert_eq!(places.token(), Path::new("/run/user/7/orchflow/token"));
    }

    #[test]
    fn without_a_runtime_folder_the_sockets_are_with_the_state() {
        let places = Places::from(&given(None, None)).unwrap();
        assert_eq!(places.run(), Path::new("/home/ada/.local/state/orchflow/run"));
    }

    #[test]
    fn orchflow_home_holds_everything() {
        let places = Places::from(&given(Some("/srv/of"), Some("/run/user/7"))).unwrap();
        assert_eq!(places.config(), Path::new("/srv/of/config.toml"));
        assert_eq!(places.database(), Path::new("/srv/of/state.db"));
        assert_eq!(places.log(), Path::new("/srv/of/logs/daemon.log"));
        assert_eq!(places.socket(), Path::new("/srv/of/run/orchflow.sock"));
    }

    #[test]
    fn a_socket_path_of_107_bytes_stays_and_one_of_108_moves_to_a_short_folder_by_hash() {
        let of_length = |bytes: usize| {
            let home = format!("/{}", "h".repeat(bytes - 1 - "/run/orchflow.sock".len()));
            Places::from(&given(Some(&home), None)).unwrap()
        };
        let (longest, moved, other) = (of_length(107), of_length(108), of_length(109));
        assert_eq!(longest.socket(), longest.run().join("orchflow.sock"));
        assert!(moved.socket().starts_with("/tmp") && fits(moved.socket()), "{moved:?}");
        assert_ne!(moved.socket(), other.socket());
        assert!(moved.token().starts_with(moved.run()));
    }

    #[test]
    fn without_any_home_the_error_says_what_to_set() {
        let error = Places::from(&Given::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.hint().unwrap().contains("ORCHFLOW_HOME"));
    }

    #[test]
    fn prepared_folders_are_private_even_when_they_were_open_before() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        std::fs::create_dir_all(home.join("run")).unwrap();
        std::fs::set_permissions(home.join("run"), Permissions::from_mode(0o755)).unwrap();
        let places = Places::from(&given(Some(home.to_str().unwrap()), None)).unwrap();
        places.prepare().unwrap();
        assert_eq!(places.run().metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(places.logs().metadata().unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_file_in_the_way_is_told_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("run"), "").unwrap();
        let places = Places::from(&given(Some(dir.path().to_str().unwrap()), None)).unwrap();
        let error = places.prepare().unwrap_err();
        assert!(error.to_string().contains("/run"), "{error}");
    }
}
