//! Birth of a child: what it runs, where, with which environment and which descriptors.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio as StdStdio};

use orchflow_types::pane::Size;
use orchflow_types::{ErrorKind, Explain};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{Child, MARK, end, waiter};

/// What to run and how.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The program and its words; no shell reads them.
    pub argv: Vec<OsString>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The environment it starts from; none for our own, scrubbed (see
    /// [`crate::env::for_children`]).
    pub base: Option<Vec<(OsString, OsString)>>,
    /// Variables set on top of it.
    pub env: Vec<(OsString, OsString)>,
    /// Variables taken away from it.
    pub without: Vec<OsString>,
    /// Its descriptors.
    pub stdio: Stdio,
    /// What its [`MARK`] says; sweeping by a prefix of it finds it again.
    pub mark: String,
}

impl Spec {
    /// `argv` in `cwd`, without input, with its output in two pipes.
    pub fn new<S: Into<OsString>>(
        argv: impl IntoIterator<Item = S>,
        cwd: impl Into<PathBuf>,
    ) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            cwd: cwd.into(),
            base: None,
            env: Vec::new(),
            without: Vec::new(),
            stdio: Stdio::Output,
            mark: String::new(),
        }
    }

    /// The same with a variable set.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}

/// What a child reads from and writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdio {
    /// No input; output and errors in a pipe each.
    Output,
    /// A pipe each for input, output and errors.
    Pipes,
    /// A terminal of this size for all three.
    Tty(Size),
    /// Nothing at all, in a session of its own, so that the end of our terminal does not
    /// end it; for a child that goes on alone.
    Null,
    /// Our own, in our own process group: for a program a person works in, such as an editor.
    Inherit,
}

/// Why a child could not be born.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// There were no words to run.
    #[error("there is no command to run")]
    Empty,
    /// The program is not there.
    #[error("the program `{program}` was not found")]
    NotFound {
        /// What was looked for.
        program: String,
    },
    /// The working directory is not there.
    #[error("cannot start `{program}`: the folder {cwd} is not there")]
    NoFolder {
        /// What was to run.
        program: String,
        /// Where.
        cwd: String,
    },
    /// The system refused.
    #[error("cannot start `{program}`")]
    System {
        /// What was to run.
        program: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Explain for SpawnError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Empty => ErrorKind::InvalidParams,
            Self::NotFound { .. } => ErrorKind::ProgramNotFound,
            Self::NoFolder { .. } => ErrorKind::File,
            Self::System { .. } => ErrorKind::Unavailable,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { program } => Some(format!(
                "install `{program}`, or put its folder on PATH and restart with `orchflow down`"
            )),
            _ => None,
        }
    }
}

/// Starts a child in a process group of its own, with a scrubbed environment.
///
/// # Errors
/// [`SpawnError`]; then no process, pipe or terminal is left behind.
pub fn spawn(spec: &Spec) -> Result<Child, SpawnError> {
    let program = spec.argv.first().ok_or(SpawnError::Empty)?;
    let failed = |source| failure(spec, program, source);
    let mut command = Command::new(program);
    command.args(&spec.argv[1..]).current_dir(&spec.cwd).env_clear();
    command
        .envs(spec.base.clone().unwrap_or_else(crate::env::for_children))
        .envs(spec.env.iter().map(|(name, value)| (name, value)));
    for name in &spec.without {
        command.env_remove(name);
    }
    command.env(MARK, &spec.mark);
    let tty = attach(&mut command, spec.stdio).map_err(failed)?;
    // The waiter may not reap while std still waits for the outcome of its own exec.
    let mut born = waiter::birth();
    let mut child = command.spawn().map_err(failed)?;
    let exit = born.register(child.id());
    drop(born);
    let pid = child.id();
    Ok(Child {
        pid,
        start_time: end::start_time(pid).unwrap_or(0),
        stdin: child.stdin.take().map(OwnedFd::from),
        stdout: child.stdout.take().map(OwnedFd::from),
        stderr: child.stderr.take().map(OwnedFd::from),
        tty,
        exit,
    })
}

fn failure(spec: &Spec, program: &OsStr, source: std::io::Error) -> SpawnError {
    let program = program.to_string_lossy().into_owned();
    if source.kind() != std::io::ErrorKind::NotFound {
        return SpawnError::System { program, source };
    }
    if spec.cwd.is_dir() {
        SpawnError::NotFound { program }
    } else {
        SpawnError::NoFolder { program, cwd: spec.cwd.display().to_string() }
    }
}

fn attach(command: &mut Command, stdio: Stdio) -> std::io::Result<Option<OwnedFd>> {
    match stdio {
        Stdio::Output => {
            command.stdin(StdStdio::null()).stdout(StdStdio::piped()).stderr(StdStdio::piped());
        }
        Stdio::Pipes => {
            command.stdin(StdStdio::piped()).stdout(StdStdio::piped()).stderr(StdStdio::piped());
        }
        Stdio::Null => {
            command.stdin(StdStdio::null()).stdout(StdStdio::null()).stderr(StdStdio::null());
            own_session(command, false);
            return Ok(None);
        }
        Stdio::Inherit => {
            // Of another group it could not read from the terminal.
            command.stdin(StdStdio::inherit()).stdout(StdStdio::inherit());
            command.stderr(StdStdio::inherit());
            return Ok(None);
        }
        Stdio::Tty(size) => return attach_tty(command, size).map(Some),
    }
    command.process_group(0);
    Ok(None)
}

fn attach_tty(command: &mut Command, size: Size) -> std::io::Result<OwnedFd> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let slave = rustix::fs::open(&*name, flags, rustix::fs::Mode::empty())?;
    let winsize = rustix::termios::Winsize {
        ws_col: size.cols.max(1),
        ws_row: size.rows.max(1),
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(&master, winsize)?;
    command.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(slave);
    own_session(command, true);
    Ok(master)
}

#[expect(
    unsafe_code,
    reason = "a session and its terminal can only be taken between fork and exec"
)]
fn own_session(command: &mut Command, terminal: bool) {
    let take_session = move || {
        rustix::process::setsid()?;
        if terminal {
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
        }
        Ok(())
    };
    // SAFETY: both calls are bare system calls: they neither allocate nor take a lock,
    // so they are sound in the child of a multi-threaded process.
    unsafe { command.pre_exec(take_session) };
}
