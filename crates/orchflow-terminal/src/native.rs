//! The native backend: panes whose terminals and logs this process holds itself.

use std::fs::DirBuilder;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::sync::{Arc, Mutex};

use orchflow_runtime::process::{self, Child, Spec, Stdio};
use orchflow_runtime::{CancellationToken, Supervisor, TaskKind};
use rustix::fs::OFlags;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{oneshot, watch};

use crate::log::LogWriter;
use crate::pane::{Drain, Input, Pane, PaneSpec, State, Stream, Watch};
use crate::{AlacrittyScreen, Error, screen};

/// The name of this backend.
pub const NAME: &str = "native";

/// Starts a pane. Its tasks run under `supervisor`, whose shutdown ends its process and
/// all that came of it. Must be called within a runtime of tokio.
///
/// # Errors
/// [`Error::Log`] when no log can be made, [`Error::Spawn`] when the process cannot be
/// started, [`Error::System`] when descriptors run out; no process is left behind.
pub fn spawn(spec: &PaneSpec, supervisor: &Supervisor) -> Result<Pane, Error> {
    let output = make_log(spec, Stream::Output)?;
    let errors = if spec.tty { None } else { Some(make_log(spec, Stream::Errors)?) };
    let mut child = process::spawn(&child_spec(spec)).map_err(|source| {
        // A pane that never was leaves no log, unless an earlier one of its name wrote it.
        [Some(&output), errors.as_ref()].into_iter().flatten().for_each(LogWriter::remove_if_empty);
        Error::Spawn { pane: spec.pane_id, source }
    })?;
    let ends = match Ends::of(&mut child) {
        Ok(ends) => ends,
        Err(source) => {
            process::kill_group(child.pid, child.start_time, rustix::process::Signal::KILL);
            let attempted = "wait for the output";
            return Err(Error::System { pane: spec.pane_id, attempted, source });
        }
    };
    let (ended_sender, ended) = watch::channel(None);
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
        screen: spec.tty.then(|| Mutex::new(AlacrittyScreen::new(spec.size))),
        master: Mutex::new(spec.tty.then(|| Arc::clone(&ends.output))),
    });
    let drains = [Some((ends.output, output)), ends.errors.zip(errors)];
    let drains = drains.into_iter().flatten();
    start_tasks(&state, supervisor, ends.input, drains, ended_sender);
    Ok(Pane(state))
}

fn start_tasks(
    state: &Arc<State>,
    supervisor: &Supervisor,
    input: Arc<AsyncFd<OwnedFd>>,
    drains: impl Iterator<Item = (Arc<AsyncFd<OwnedFd>>, LogWriter)>,
    ended: watch::Sender<Option<orchflow_types::pane::ExitStatus>>,
) {
    let stop = CancellationToken::new();
    let (mut settled, mut drained) = (Vec::new(), Vec::new());
    for (fd, log) in drains {
        let (sender, receiver) = oneshot::channel();
        settled.push(receiver);
        let drain = Drain::new(fd, log, Arc::clone(state), stop.clone());
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

fn child_spec(spec: &PaneSpec) -> Spec {
    let mut child = Spec::new(&spec.argv, &spec.cwd);
    child.mark.clone_from(&spec.mark);
    child.stdio = Stdio::Pipes;
    if spec.tty {
        child.stdio = Stdio::Tty(screen::possible(spec.size));
        // What the screen model is, whatever terminal the daemon was started from.
        child = child.env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
        child.without.extend(["LINES".into(), "COLUMNS".into()]);
    }
    child.without.retain(|name| !spec.env.contains_key(&*name.to_string_lossy()));
    child.without.extend(spec.without_env.iter().map(Into::into));
    for (name, value) in &spec.env {
        child = child.env(name, value);
    }
    child
}

// Our ends of a child's streams, ready to be waited for.
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
