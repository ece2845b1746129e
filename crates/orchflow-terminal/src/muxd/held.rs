//! A pane in the holder: a child process, our ends of its streams, and its logs.

mod drain;
mod input;
mod watch;

use std::fs::DirBuilder;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use orchflow_runtime::process::{self, Child, Exit, Spec, Stdio};
use orchflow_runtime::{CancellationToken, Supervisor, TaskKind};
use orchflow_types::PaneId;
use orchflow_types::pane::Size;
use rustix::fs::OFlags;
use rustix::termios::Winsize;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{oneshot, watch as channel};

use super::locked;
use super::wire::{Ended, Listed, Variables};
use crate::log::LogWriter;
use crate::{Error, LogReader, PaneSpec, Stream, screen};
use drain::Drain;
use input::Input;
use watch::Watch;

/// A handle to a held pane; clones name the same one.
#[derive(Clone)]
pub(super) struct Held(Arc<State>);

/// What a held pane and its tasks have together.
pub(super) struct State {
    id: PaneId,
    pid: u32,
    start_time: u64,
    mark: String,
    spec: PaneSpec,
    process: Exit,
    ended: channel::Receiver<Option<Ended>>,
    input: Arc<Input>,
    output: LogReader,
    errors: Option<LogReader>,
    /// How far the manager took the output; the drain waits when it is far behind.
    taken: channel::Sender<Taken>,
    sizes: Mutex<Vec<(u64, Size)>>,
    /// The terminal's master side; none for pipes and once the pane has ended.
    master: Mutex<Option<Arc<AsyncFd<OwnedFd>>>>,
}

/// How far a manager took the output of a pane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) offset: u64,
    /// Whether there is a manager that takes at all; without one nothing waits for it.
    pub(super) attached: bool,
}

/// Starts a pane with exactly the environment `environ`. Its tasks run under `supervisor`,
/// whose shutdown ends its process and all that came of it.
///
/// # Errors
/// [`Error::Log`] when no log can be made, [`Error::Spawn`] when the process cannot be
/// started, [`Error::System`] when descriptors run out; no process is left behind.
pub(super) fn spawn(
    spec: PaneSpec,
    environ: Variables,
    supervisor: &Supervisor,
) -> Result<Held, Error> {
    let output = make_log(&spec, Stream::Output)?;
    let errors = if spec.tty { None } else { Some(make_log(&spec, Stream::Errors)?) };
    let mut child = process::spawn(&child_spec(&spec, environ)).map_err(|source| {
        // A pane that never was leaves no log, unless an earlier one of its name wrote it.
        [Some(&output), errors.as_ref()].into_iter().flatten().for_each(LogWriter::remove_if_empty);
        Error::Spawn { pane: spec.pane_id, source }
    })?;
    let ends = Ends::of(&mut child).map_err(|source| {
        process::kill_group(child.pid, child.start_time, rustix::process::Signal::KILL);
        Error::System { pane: spec.pane_id, attempted: "wait for the output", source }
    })?;
    let (ended_sender, ended) = channel::channel(None);
    let state = Arc::new(State {
        id: spec.pane_id,
        pid: child.pid,
        start_time: child.start_time,
        mark: spec.mark.clone(),
        process: child.exit.clone(),
        ended,
        input: Arc::new(Input::new(spec.pane_id)),
        output: output.reader(),
        errors: errors.as_ref().map(LogWriter::reader),
        taken: channel::Sender::new(Taken { offset: 0, attached: false }),
        sizes: Mutex::new(vec![(0, screen::possible(spec.size))]),
        master: Mutex::new(spec.tty.then(|| Arc::clone(&ends.output))),
        spec,
    });
    let errors = ends.errors.zip(errors).map(|(fd, log)| (Stream::Errors, fd, log));
    let drains = std::iter::once((Stream::Output, ends.output, output)).chain(errors);
    start_tasks(&state, supervisor, ends.input, drains, ended_sender);
    Ok(Held(state))
}

impl Held {
    pub(super) fn id(&self) -> PaneId {
        self.0.id
    }

    /// Its process id and start time.
    pub(super) fn process(&self) -> (u32, u64) {
        (self.0.pid, self.0.start_time)
    }

    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        self.0.input.write(bytes)
    }

    /// Ends its input once what was written is read: pipes are closed, a terminal gets its
    /// end-of-file character.
    pub(super) fn close_input(&self) -> Result<(), Error> {
        match self.master().clone() {
            Some(master) => self.0.input.end_of_file(&master),
            None => self.0.input.close(),
        }
    }

    /// Gives its terminal another size; answers the byte of its output from which it counts.
    pub(super) fn resize(&self, size: Size) -> Result<u64, Error> {
        let pane = self.0.id;
        if !self.0.spec.tty {
            return Err(Error::NoTerminal { pane });
        }
        let Some(master) = self.master().clone() else { return Err(Error::Ended { pane }) };
        let size = screen::possible(size);
        let winsize = Winsize { ws_col: size.cols, ws_row: size.rows, ws_xpixel: 0, ws_ypixel: 0 };
        let from = self.0.output.len();
        rustix::termios::tcsetwinsize(&*master, winsize).map_err(|source| Error::System {
            pane,
            attempted: "set the size of the terminal",
            source: source.into(),
        })?;
        let mut sizes = locked(&self.0.sizes);
        sizes.retain(|(at, _)| *at < from);
        sizes.push((from, size));
        Ok(from)
    }

    /// Ends its process and all that came of it, and answers how it ended.
    pub(super) async fn end(&self, grace: Duration) {
        self.0.end_tree(grace).await;
        let _ = self.ended().wait_for(Option::is_some).await;
    }

    /// How it ended, once all of its output is in the log.
    pub(super) fn ended(&self) -> channel::Receiver<Option<Ended>> {
        self.0.ended.clone()
    }

    pub(super) fn logs(&self) -> impl Iterator<Item = (Stream, LogReader)> {
        let errors = self.0.errors.clone().map(|log| (Stream::Errors, log));
        std::iter::once((Stream::Output, self.0.output.clone())).chain(errors)
    }

    /// Says how far the manager took the output, or that there is none that takes.
    pub(super) fn took(&self, taken: impl FnOnce(&mut Taken)) {
        self.0.taken.send_modify(taken);
    }

    pub(super) fn listed(&self) -> Listed {
        Listed {
            pane: self.0.id,
            pid: self.0.pid,
            start_time: self.0.start_time,
            tty: self.0.spec.tty,
            log_dir: self.0.spec.log_dir.clone(),
            sizes: locked(&self.0.sizes).clone(),
            taken: self.0.taken.borrow().offset,
            ended: *self.0.ended.borrow(),
        }
    }

    fn master(&self) -> MutexGuard<'_, Option<Arc<AsyncFd<OwnedFd>>>> {
        locked(&self.0.master)
    }
}

impl State {
    async fn end_tree(&self, grace: Duration) {
        // Interactive shells ignore TERM; a terminal that goes away says HUP.
        const HANG_UP_AFTER: Duration = Duration::from_millis(50);
        let (mut exit, mut hung_up) = (self.process.clone(), self.process.clone());
        let terminate = process::terminate(self.pid, self.start_time, &mut exit, &self.mark, grace);
        let hang_up = async {
            let still = tokio::time::timeout(HANG_UP_AFTER, hung_up.wait()).await.is_err();
            if still && self.spec.tty {
                process::kill_group(self.pid, self.start_time, rustix::process::Signal::HUP);
            }
        };
        tokio::join!(terminate, hang_up);
    }

    fn lengths(&self) -> (u64, u64) {
        (self.output.len(), self.errors.as_ref().map_or(0, LogReader::len))
    }
}
fn start_tasks(
    state: &Arc<State>,
    supervisor: &Supervisor,
    input: Arc<AsyncFd<OwnedFd>>,
    drains: impl Iterator<Item = (Stream, Arc<AsyncFd<OwnedFd>>, LogWriter)>,
    ended: channel::Sender<Option<Ended>>,
) {
    let stop = CancellationToken::new();
    let (mut settled, mut drained) = (Vec::new(), Vec::new());
    for (stream, fd, log) in drains {
        let (sender, receiver) = oneshot::channel();
        settled.push(receiver);
        let drain = Drain::new(fd, log, stream, Arc::clone(state), stop.clone());
        drained.push(supervisor.spawn(TaskKind::Pane, "pane output", drain.run(sender)));
    }
    supervisor.spawn(TaskKind::Pane, "pane input", Arc::clone(&state.input).run(input));
    let shutdown = supervisor.shutdown().clone();
    let watch = Watch { pane: Arc::clone(state), ended, settled, drained, stop, shutdown };
    supervisor.spawn(TaskKind::Pane, "pane end", watch.run());
}

fn make_log(spec: &PaneSpec, stream: Stream) -> Result<LogWriter, Error> {
    let path = spec.log_path(stream);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&spec.log_dir);
    made.map_err(|source| Error::Log { attempted: "make", path: path.clone(), source })?;
    LogWriter::create(&path, spec.bounds)
}

fn child_spec(spec: &PaneSpec, environ: Variables) -> Spec {
    let mut child = Spec::new(&spec.argv, &spec.cwd);
    child.mark.clone_from(&spec.mark);
    child.base = Some(environ);
    child.stdio = if spec.tty { Stdio::Tty(screen::possible(spec.size)) } else { Stdio::Pipes };
    child
}

/// Our ends of a child's streams, ready to be waited for.
struct Ends {
    input: Arc<AsyncFd<OwnedFd>>,
    output: Arc<AsyncFd<OwnedFd>>,
    errors: Option<Arc<AsyncFd<OwnedFd>>>,
}

impl Ends {
    fn of(child: &mut Child) -> io::Result<Self> {
        let missing = || io::Error::other("a stream of the process is missing");
        if let Some(tty) = child.tty.take() {
            let both = register(tty, Interest::READABLE | Interest::WRITABLE)?;
            return Ok(Self { input: Arc::clone(&both), output: both, errors: None });
        }
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        Ok(Self {
            input: register(stdin, Interest::WRITABLE)?,
            output: register(stdout, Interest::READABLE)?,
            errors: Some(register(stderr, Interest::READABLE)?),
        })
    }
}

#[expect(unsafe_code, reason = "tokio asks for a promise that the descriptor stays open")]
fn register(fd: OwnedFd, interest: Interest) -> io::Result<Arc<AsyncFd<OwnedFd>>> {
    let flags = rustix::fs::fcntl_getfl(fd.as_fd())?;
    rustix::fs::fcntl_setfl(fd.as_fd(), flags | OFlags::NONBLOCK)?;
    // SAFETY: an `OwnedFd` names one open descriptor from here to its drop, and nothing
    // takes it out of the `AsyncFd`.
    let fd = unsafe { AsyncFd::register_with_interest(fd, interest)? };
    Ok(Arc::new(fd))
}
