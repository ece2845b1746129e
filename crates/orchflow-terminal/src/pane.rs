//! A pane: a process behind a terminal or behind three pipes, and the handle to it.

mod drain;
mod input;
mod watch;

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orchflow_runtime::process::{self, Exit};
use orchflow_types::PaneId;
use orchflow_types::pane::{ExitStatus, Size};
use rustix::termios::Winsize;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch as channel;

use crate::{AlacrittyScreen, Bounds, Error, LogReader, Screen, screen};
pub(crate) use drain::Drain;
pub(crate) use input::Input;
pub(crate) use watch::Watch;

/// What to run in a pane, and how.
#[derive(Debug, Clone)]
pub struct PaneSpec {
    /// Its name.
    pub pane_id: PaneId,
    /// The program and its words; no shell reads them.
    pub argv: Vec<String>,
    /// Where it starts.
    pub cwd: PathBuf,
    /// Variables set on top of the scrubbed environment.
    pub env: BTreeMap<String, String>,
    /// Variables taken away from it.
    pub without_env: Vec<String>,
    /// Whether it gets a terminal, or three pipes.
    pub tty: bool,
    /// Cells of the terminal; without meaning for pipes.
    pub size: Size,
    /// What finds all that came of it again (see [`orchflow_runtime::process::MARK`]).
    pub mark: String,
    /// The folder of its logs.
    pub log_dir: PathBuf,
    /// How much of its output is kept.
    pub bounds: Bounds,
}

impl PaneSpec {
    /// `argv` in `cwd` behind a terminal of the usual size, with the id as its mark.
    pub fn new<S: Into<String>>(
        pane_id: PaneId,
        argv: impl IntoIterator<Item = S>,
        cwd: impl Into<PathBuf>,
        log_dir: impl Into<PathBuf>,
    ) -> Self {
        Self {
            pane_id,
            argv: argv.into_iter().map(Into::into).collect(),
            cwd: cwd.into(),
            env: BTreeMap::new(),
            without_env: Vec::new(),
            tty: true,
            size: Size::default(),
            mark: pane_id.to_string(),
            log_dir: log_dir.into(),
            bounds: Bounds::default(),
        }
    }

    /// Where the log of a stream of this pane is.
    #[must_use]
    pub fn log_path(&self, stream: Stream) -> PathBuf {
        let ending = match stream {
            Stream::Output => "log",
            Stream::Errors => "err.log",
        };
        self.log_dir.join(format!("{}.{ending}", self.pane_id))
    }
}

/// One of the streams a pane prints to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Its terminal, or its standard output.
    Output,
    /// Its standard error; only behind pipes.
    Errors,
}

/// A handle to a pane; clones name the same one. The pane lives until its process ends
/// or the supervisor shuts down, whether or not a handle is held.
#[derive(Clone)]
pub struct Pane(pub(crate) Arc<State>);

/// What a pane and its tasks have together.
pub(crate) struct State {
    pub(crate) id: PaneId,
    pub(crate) pid: u32,
    pub(crate) start_time: u64,
    pub(crate) mark: String,
    pub(crate) process: Exit,
    pub(crate) ended: channel::Receiver<Option<ExitStatus>>,
    pub(crate) input: Arc<Input>,
    pub(crate) output: LogReader,
    pub(crate) errors: Option<LogReader>,
    pub(crate) screen: Option<Mutex<AlacrittyScreen>>,
    /// The terminal's master side; none for pipes and once the pane has ended.
    pub(crate) master: Mutex<Option<Arc<AsyncFd<OwnedFd>>>>,
}

impl Pane {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> PaneId {
        self.0.id
    }

    /// Its process id, which is also its group's.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.pid
    }

    /// The start time of its process in clock ticks since boot: with the pid, a name that
    /// is never reused.
    #[must_use]
    pub fn start_time(&self) -> u64 {
        self.0.start_time
    }

    /// Hands bytes to its input, all of them or none, without waiting for the process.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when it does not read, [`Error::InputClosed`] when it takes
    /// no more.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.0.input.write(bytes)
    }

    /// Ends its input once what was written is read: pipes are closed, a terminal gets
    /// its end-of-file character (`^D`). Asking again changes nothing for pipes.
    ///
    /// # Errors
    /// [`Error::InputClosed`] when the process has ended.
    pub fn close_stdin(&self) -> Result<(), Error> {
        match self.master().clone() {
            Some(master) => self.0.input.end_of_file(&master),
            None => self.0.input.close(),
        }
    }

    /// Gives its terminal another size, the nearest a screen can have, and tells the
    /// processes in it.
    ///
    /// # Errors
    /// [`Error::NoTerminal`] for pipes, [`Error::Ended`] when the process has ended.
    pub fn resize(&self, size: Size) -> Result<(), Error> {
        let pane = self.0.id;
        let Some(screen) = &self.0.screen else { return Err(Error::NoTerminal { pane }) };
        let Some(master) = self.master().clone() else { return Err(Error::Ended { pane }) };
        let size = screen::possible(size);
        let winsize = Winsize { ws_col: size.cols, ws_row: size.rows, ws_xpixel: 0, ws_ypixel: 0 };
        // The screen comes first, for what the program paints once it knows the size.
        locked(screen).resize(size);
        rustix::termios::tcsetwinsize(&*master, winsize).map_err(|source| Error::System {
            pane,
            attempted: "set the size of the terminal",
            source: source.into(),
        })
    }

    /// Ends its process and all that came of it: TERM, `grace` to obey, then KILL, also
    /// for what left the group. Answers how it ended, once its output is read.
    pub async fn kill(&self, grace: Duration) -> ExitStatus {
        self.0.end_tree(grace).await;
        self.exit().await
    }

    /// How its process ends, once all of its output is in the log. What it left running
    /// may still print to the log afterwards.
    pub fn exit(&self) -> impl Future<Output = ExitStatus> + Send + use<> {
        let (mut ended, mut process) = (self.0.ended.clone(), self.0.process.clone());
        async move {
            let told = match ended.wait_for(Option::is_some).await {
                Ok(status) => *status,
                Err(_) => None,
            };
            // Without the task that tells, the process itself still says how it ended.
            match told {
                Some(status) => status,
                None => process.wait().await,
            }
        }
    }

    /// How it ended, if it has and its output is read.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        *self.0.ended.borrow()
    }

    /// The log of a stream; none for the errors of a terminal, which has but one stream.
    #[must_use]
    pub fn log(&self, stream: Stream) -> Option<&LogReader> {
        match stream {
            Stream::Output => Some(&self.0.output),
            Stream::Errors => self.0.errors.as_ref(),
        }
    }

    /// Looks at the screen; none for pipes. Output waits meanwhile, so `look` is short.
    pub fn screen<T>(&self, look: impl FnOnce(&dyn Screen) -> T) -> Option<T> {
        self.0.screen.as_ref().map(|screen| look(&*locked(screen)))
    }

    /// Cells of its terminal; none for pipes.
    #[must_use]
    pub fn size(&self) -> Option<Size> {
        self.screen(|screen| screen.size())
    }

    fn master(&self) -> MutexGuard<'_, Option<Arc<AsyncFd<OwnedFd>>>> {
        locked(&self.0.master)
    }
}

impl std::fmt::Debug for Pane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pane").field("id", &self.0.id).field("pid", &self.0.pid).finish()
    }
}

impl State {
    pub(crate) async fn end_tree(&self, grace: Duration) {
        // Interactive shells ignore TERM; a terminal that goes away says HUP.
        const HANG_UP_AFTER: Duration = Duration::from_millis(50);
        let (mut exit, mut hung_up) = (self.process.clone(), self.process.clone());
        let terminate = process::terminate(self.pid, self.start_time, &mut exit, &self.mark, grace);
        let hang_up = async {
            let still = tokio::time::timeout(HANG_UP_AFTER, hung_up.wait()).await.is_err();
            if still && self.screen.is_some() {
                process::kill_group(self.pid, self.start_time, rustix::process::Signal::HUP);
            }
        };
        tokio::join!(terminate, hang_up);
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
