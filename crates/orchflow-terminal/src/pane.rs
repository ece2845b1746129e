//! A pane: a process behind a terminal or behind three pipes, and the handle to it.

mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orchflow_runtime::{Supervisor, TaskKind, process};
use orchflow_types::PaneId;
use orchflow_types::pane::{ExitStatus, Size};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::muxd::{Answer, Call, Follow, Found, Link, locked, unexpected};
use crate::{AlacrittyScreen, Bounds, Error, LogReader, Screen, screen};
use view::View;

/// What to run in a pane, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaneSpec {
    /// Its name.
    pub pane_id: PaneId,
    /// The program and its words; no shell reads them.
    pub argv: Vec<String>,
    /// Where it starts.
    pub cwd: PathBuf,
    /// Variables set on top of the scrubbed environment.
    #[serde(skip)]
    pub env: BTreeMap<String, String>,
    /// Variables taken away from it.
    #[serde(skip)]
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
        log_path(&self.log_dir, self.pane_id, stream)
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

/// A handle to a pane; clones name the same one. The pane lives until its process ends,
/// whether or not a handle is held, and whether or not this process lives.
#[derive(Clone)]
pub struct Pane(Arc<State>);

struct State {
    id: PaneId,
    pid: u32,
    start_time: u64,
    mark: String,
    link: Link,
    output: LogReader,
    errors: Option<LogReader>,
    /// Its end, told once the screen shows all that was printed before it.
    ended: watch::Receiver<Option<PaneEnd>>,
    screen: Option<Arc<Mutex<AlacrittyScreen>>>,
    size: Mutex<Size>,
}

/// How a pane ended, and how long its outputs were by then. What it left running may print
/// more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaneEnd {
    /// How its process ended; none when its holder went away and nobody saw.
    pub status: Option<ExitStatus>,
    /// Bytes of its output.
    pub output: u64,
    /// Bytes of its errors.
    pub errors: u64,
}

impl PaneEnd {
    /// The length of one of its streams.
    #[must_use]
    pub const fn at(self, stream: Stream) -> u64 {
        match stream {
            Stream::Output => self.output,
            Stream::Errors => self.errors,
        }
    }
}

impl Pane {
    /// A pane that was just started.
    pub(crate) fn new(
        link: Link,
        follow: Follow,
        spec: &PaneSpec,
        (pid, start_time): (u32, u64),
        supervisor: &Supervisor,
    ) -> Self {
        let reader =
            |stream| LogReader::live(spec.log_path(stream), follow.log(stream).subscribe());
        let size = screen::possible(spec.size);
        let parts = Parts {
            id: spec.pane_id,
            pid,
            start_time,
            mark: spec.mark.clone(),
            output: reader(Stream::Output),
            errors: (!spec.tty).then(|| reader(Stream::Errors)),
            size,
            tty: spec.tty,
            answered: 0,
        };
        Self::begin(link, follow, parts, supervisor)
    }

    /// A pane that was there before this manager: its screen is made anew from its log.
    /// `mark` is what its processes carry.
    ///
    /// # Errors
    /// [`Error::Log`] or [`Error::NotALog`] when its log cannot be read.
    pub fn adopt(found: &Found, mark: String, supervisor: &Supervisor) -> Result<Self, Error> {
        let Found { pane_id, listed, link } = found;
        let pane_id = *pane_id;
        let path = |stream| log_path(&listed.log_dir, pane_id, stream);
        let bounds = LogReader::open(&path(Stream::Output))?.bounds();
        let follow = link.follow(pane_id, Some(bounds));
        let reader = |stream| LogReader::live(path(stream), follow.log(stream).subscribe());
        follow.sizes().extend(listed.sizes.iter().copied());
        let parts = Parts {
            id: pane_id,
            pid: listed.pid,
            start_time: listed.start_time,
            mark,
            output: reader(Stream::Output),
            errors: (!listed.tty).then(|| reader(Stream::Errors)),
            size: listed.sizes.last().map_or_else(Size::default, |(_, size)| *size),
            tty: listed.tty,
            answered: listed.taken,
        };
        Ok(Self::begin(link.clone(), follow, parts, supervisor))
    }

    fn begin(link: Link, follow: Follow, parts: Parts, supervisor: &Supervisor) -> Self {
        let screen = parts.tty.then(|| Arc::new(Mutex::new(AlacrittyScreen::new(parts.size))));
        let (sender, ended) = watch::channel(None);
        let view = View {
            pane: parts.id,
            link: link.clone(),
            follow,
            log: parts.output.clone(),
            screen: screen.clone(),
            answered: parts.answered,
            ended: sender,
            left: (parts.pid, parts.start_time, parts.mark.clone()),
        };
        supervisor.spawn(TaskKind::Pane, "pane view", view.run());
        let Parts { id, pid, start_time, mark, output, errors, size, .. } = parts;
        let size = Mutex::new(size);
        let state = State { id, pid, start_time, mark, link, output, errors, ended, screen, size };
        Self(Arc::new(state))
    }

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
    /// [`Error::Refused`] with the kind `overloaded` when it does not read, `conflict` when
    /// it takes no more; [`Error::HolderGone`].
    pub async fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.0.link.write(self.0.id, bytes.to_vec()).await
    }

    /// Ends its input once what was written is read: pipes are closed, a terminal gets
    /// its end-of-file character (`^D`). Asking again changes nothing for pipes.
    ///
    /// # Errors
    /// [`Error::Refused`] when the process has ended; [`Error::HolderGone`].
    pub async fn close_stdin(&self) -> Result<(), Error> {
        self.call(Call::CloseInput { pane: self.0.id }).await
    }

    /// Gives its terminal another size, the nearest a screen can have, and tells the
    /// processes in it.
    ///
    /// # Errors
    /// [`Error::NoTerminal`] for pipes, [`Error::Refused`] when the process has ended;
    /// [`Error::HolderGone`].
    pub async fn resize(&self, size: Size) -> Result<(), Error> {
        let pane = self.0.id;
        if self.0.screen.is_none() {
            return Err(Error::NoTerminal { pane });
        }
        let size = screen::possible(size);
        self.call(Call::Resize { pane, size }).await?;
        *locked(&self.0.size) = size;
        Ok(())
    }

    /// Ends its process and all that came of it: TERM, `grace` to obey, then KILL, also
    /// for what left the group. Answers how it ended, once its output is read.
    pub async fn kill(&self, grace: Duration) -> PaneEnd {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let asked = self.call(Call::End { pane: self.0.id, grace_ms }).await;
        if asked.is_err() {
            // The holder is gone, or has let go of it; what is left of it may not be.
            let mark = self.0.mark.clone();
            let _ = tokio::task::spawn_blocking(move || process::sweep(&mark)).await;
        }
        self.exit().await
    }

    /// How it ends, once all of its output is in the log and on the screen. What it left
    /// running may still print to the log afterwards.
    pub fn exit(&self) -> impl Future<Output = PaneEnd> + Send + use<> {
        let mut ended = self.0.ended.clone();
        let lens = (self.0.output.clone(), self.0.errors.clone());
        async move {
            let told = ended.wait_for(Option::is_some).await.ok().and_then(|end| *end);
            told.unwrap_or_else(|| PaneEnd {
                status: None,
                output: lens.0.len(),
                errors: lens.1.as_ref().map_or(0, LogReader::len),
            })
        }
    }

    /// How it ended, if it has and its output is read.
    #[must_use]
    pub fn ended(&self) -> Option<PaneEnd> {
        *self.0.ended.borrow()
    }

    /// Lets the holder forget it, once its end is written down.
    pub async fn forget(&self) {
        if self.call(Call::Forget { pane: self.0.id }).await.is_ok() {
            self.0.link.forget(self.0.id);
        }
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
        self.0.screen.as_ref().map(|_| *locked(&self.0.size))
    }

    async fn call(&self, call: Call) -> Result<(), Error> {
        match self.0.link.call(call, Vec::new()).await {
            Ok(Answer::Done | Answer::Resized { .. }) => Ok(()),
            other => Err(unexpected(other)),
        }
    }
}

impl std::fmt::Debug for Pane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pane").field("id", &self.0.id).field("pid", &self.0.pid).finish()
    }
}

/// What a pane is made of, new or found.
struct Parts {
    id: PaneId,
    pid: u32,
    start_time: u64,
    mark: String,
    output: LogReader,
    errors: Option<LogReader>,
    size: Size,
    tty: bool,
    /// Up to where a manager before this one has answered what programs ask a terminal.
    answered: u64,
}

fn log_path(dir: &Path, pane: PaneId, stream: Stream) -> PathBuf {
    let ending = match stream {
        Stream::Output => "log",
        Stream::Errors => "err.log",
    };
    dir.join(format!("{pane}.{ending}"))
}
