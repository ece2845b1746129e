//! The manager's end: a connection to the holder, made when it is needed.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orchflow_runtime::process::{self, Spec, Stdio};
use orchflow_runtime::{CancellationToken, Supervisor, TaskKind};
use orchflow_types::PaneId;
use orchflow_types::pane::Size;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{mpsc, oneshot};

use super::follow::{End, Follow};
use super::locked;
use super::wire::{self, Answer, Call, Listed, MAGIC, ToHolder, ToManager, Variables};
use crate::{Error, Pane, PaneSpec};

/// How long a holder that was just started may take to open its door.
const START: Duration = Duration::from_secs(10);
/// Frames that may wait for the holder.
const WAITING: usize = 256;

/// Where the holder is, and how it is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its socket.
    pub door: PathBuf,
    /// The command that starts it; with none it must be there.
    pub start: Option<Vec<String>>,
}

/// The way to the holder. Cheap to clone; clones are one.
#[derive(Debug, Clone)]
pub struct Muxd(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    supervisor: Supervisor,
    link: tokio::sync::Mutex<Option<Link>>,
}

/// A pane the holder held before this manager came.
#[derive(Debug)]
pub struct Found {
    /// Its name.
    pub pane_id: PaneId,
    pub(crate) listed: Listed,
    pub(crate) link: Link,
}

impl Found {
    /// Ends panes, all at once, and lets the holder forget them.
    pub async fn end_all(found: Vec<Self>) {
        futures::future::join_all(found.into_iter().map(Self::end)).await;
    }

    async fn end(self) {
        let pane = self.pane_id;
        for call in [Call::End { pane, grace_ms: 0 }, Call::Forget { pane }] {
            let _ = self.link.call(call, Vec::new()).await; // gone is as good as ended
        }
        self.link.forget(pane);
    }
}

impl Muxd {
    /// A way that is not gone yet: nothing is started before the first pane.
    #[must_use]
    pub fn new(options: Options, supervisor: Supervisor) -> Self {
        Self(Arc::new(Inner { options, supervisor, link: tokio::sync::Mutex::default() }))
    }

    /// Starts a pane; the holder first, if it is not there.
    ///
    /// # Errors
    /// [`Error::NoHolder`] when there is none to be had; what the holder refuses: no process
    /// is left behind.
    pub async fn spawn(&self, spec: PaneSpec) -> Result<Pane, Error> {
        let link = self.link(true).await?.ok_or_else(|| self.no_holder(None))?;
        let environ = environ(&spec);
        let follow = link.follow(spec.pane_id, Some(spec.bounds));
        match link.call(Call::Spawn { spec: spec.clone() }, environ).await {
            Ok(Answer::Spawned { pid, start_time }) => {
                Ok(Pane::new(link, follow, &spec, (pid, start_time), &self.0.supervisor))
            }
            other => {
                link.forget(spec.pane_id);
                Err(unexpected(other))
            }
        }
    }

    /// What the holder holds; nothing when there is none.
    ///
    /// # Errors
    /// [`Error::NoHolder`] when it is there and does not speak.
    pub async fn found(&self) -> Result<Vec<Found>, Error> {
        let Some(link) = self.link(false).await? else { return Ok(Vec::new()) };
        match link.call(Call::List, Vec::new()).await {
            Ok(Answer::Panes { panes }) => Ok(panes
                .into_iter()
                .map(|listed| Found { pane_id: listed.pane, listed, link: link.clone() })
                .collect()),
            other => Err(unexpected(other)),
        }
    }

    /// Ends every pane and the holder with them; nothing when there is none.
    pub async fn quit(&self, grace: Duration) {
        let Ok(Some(link)) = self.link(false).await else { return };
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let _ = link.call(Call::Quit { grace_ms }, Vec::new()).await; // its end is an answer, too
    }

    async fn link(&self, start: bool) -> Result<Option<Link>, Error> {
        let mut slot = self.0.link.lock().await;
        if let Some(link) = slot.as_ref().filter(|link| !link.0.lost.is_cancelled()) {
            return Ok(Some(link.clone()));
        }
        let there = match UnixStream::connect(&self.0.options.door).await {
            Ok(stream) => Link::begin(stream, &self.0.supervisor).await,
            Err(error) => Err(error),
        };
        let link = match there {
            Ok(link) => link,
            Err(error) if is_absent(&error) && !start => return Ok(None),
            Err(error) if is_absent(&error) => {
                let link = Link::begin(self.start().await?, &self.0.supervisor).await;
                link.map_err(|error| self.no_holder(Some(error)))?
            }
            Err(error) => return Err(self.no_holder(Some(error))),
        };
        *slot = Some(link.clone());
        Ok(Some(link))
    }

    async fn start(&self) -> Result<UnixStream, Error> {
        let Some(argv) = &self.0.options.start else { return Err(self.no_holder(None)) };
        let mut spec = Spec::new(argv, "/");
        // In a session of its own: it outlives us.
        spec.stdio = Stdio::Null;
        let child = process::spawn(&spec)
            .map_err(|error| self.no_holder(Some(io::Error::other(error.to_string()))))?;
        let mut exit = child.exit.clone();
        let connect = async {
            let mut pause = Duration::from_micros(500);
            loop {
                match UnixStream::connect(&self.0.options.door).await {
                    Err(error) if is_absent(&error) => tokio::time::sleep(pause).await,
                    other => break other,
                }
                pause = (pause * 2).min(Duration::from_millis(20));
            }
        };
        let connected = tokio::select! {
            connected = tokio::time::timeout(START, connect) => connected,
            status = exit.wait() => {
                let said = format!("it ended at once, with code {}", status.code);
                return Err(self.no_holder(Some(io::Error::other(said))));
            }
        };
        let late = |_| io::Error::other("it did not open its door in time");
        connected.map_err(late).and_then(|it| it).map_err(|error| self.no_holder(Some(error)))
    }

    fn no_holder(&self, source: Option<io::Error>) -> Error {
        let source = source.unwrap_or_else(|| io::ErrorKind::NotFound.into());
        Error::NoHolder { door: self.0.options.door.clone(), source }
    }
}

/// One connection to a holder. Cheap to clone; over when the holder is gone.
#[derive(Debug, Clone)]
pub(crate) struct Link(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    frames: mpsc::Sender<Vec<u8>>,
    next: AtomicU32,
    calls: Mutex<HashMap<u32, Waiting>>,
    panes: Mutex<HashMap<PaneId, Follow>>,
    lost: CancellationToken,
    /// Whether another manager has come.
    replaced: AtomicBool,
}

/// A call without an answer yet.
#[derive(Debug)]
struct Waiting {
    reply: oneshot::Sender<Answer>,
    /// Noted before anything that is printed afterwards is heard of.
    resize: Option<(PaneId, Size)>,
}

impl Link {
    async fn begin(mut stream: UnixStream, supervisor: &Supervisor) -> io::Result<Self> {
        stream.write_all(MAGIC).await?;
        let mut magic = [0; MAGIC.len()];
        stream.read_exact(&mut magic).await?;
        if &magic != MAGIC {
            let said = String::from_utf8_lossy(&magic).trim().to_owned();
            return Err(io::Error::other(format!(
                "it speaks `{said}`, which this version does not"
            )));
        }
        let (read, write) = stream.into_split();
        let (frames, waiting) = mpsc::channel(WAITING);
        let link = Self(Arc::new(Connection {
            frames,
            next: AtomicU32::new(1),
            calls: Mutex::default(),
            panes: Mutex::default(),
            lost: CancellationToken::new(),
            replaced: AtomicBool::new(false),
        }));
        let (listening, lost) = (link.clone(), link.0.lost.clone());
        let work = async move {
            let ended = tokio::select! {
                () = lost.cancelled() => Ok(()),
                ended = listening.listen(BufReader::new(read)) => ended,
                ended = wire::speak(write, waiting) => ended,
            };
            listening.lose();
            ended
        };
        supervisor.spawn(TaskKind::Connection, "muxd link", work);
        Ok(link)
    }

    /// What is known of a pane, from the first word of it on.
    pub(crate) fn follow(&self, pane: PaneId, bounds: Option<crate::Bounds>) -> Follow {
        let mut panes = locked(&self.0.panes);
        let follow = panes.entry(pane).or_default().clone();
        if let Some(bounds) = bounds {
            follow.bound(bounds);
        }
        // Lost in the meantime: whoever waits must hear of it.
        if self.0.lost.is_cancelled() {
            follow.lose(self.end());
        }
        follow
    }

    pub(crate) fn forget(&self, pane: PaneId) {
        locked(&self.0.panes).remove(&pane);
    }

    pub(crate) async fn call(&self, call: Call, environ: Variables) -> Result<Answer, Error> {
        let resize = match &call {
            Call::Resize { pane, size } => Some((*pane, *size)),
            _ => None,
        };
        self.ask(resize, |id| ToHolder::Call { id, call, environ }).await
    }

    pub(crate) async fn write(&self, pane: PaneId, bytes: Vec<u8>) -> Result<(), Error> {
        match self.ask(None, |id| ToHolder::Input { id, pane, bytes }).await? {
            Answer::Done => Ok(()),
            other => Err(unexpected(Ok(other))),
        }
    }

    /// Says a frame without an answer, or nothing when too many wait.
    pub(crate) async fn say(&self, frame: &ToHolder) {
        let _ = self.0.frames.send(frame.encode()).await; // a lost holder needs no word
    }

    async fn ask(
        &self,
        resize: Option<(PaneId, Size)>,
        frame: impl FnOnce(u32) -> ToHolder,
    ) -> Result<Answer, Error> {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        locked(&self.0.calls).insert(id, Waiting { reply, resize });
        let sent = self.0.frames.send(frame(id).encode()).await;
        if sent.is_err() || self.0.lost.is_cancelled() {
            locked(&self.0.calls).remove(&id);
            return Err(Error::HolderGone);
        }
        answer.await.map_err(|_| Error::HolderGone)
    }

    async fn listen(&self, mut from: BufReader<OwnedReadHalf>) -> io::Result<()> {
        while let Some(frame) = wire::read(&mut from).await? {
            match ToManager::decode(&frame)? {
                Some(ToManager::Answer { id, answer }) => self.answered(id, answer),
                Some(ToManager::Grown { pane, stream, len, ended, trouble }) => {
                    self.follow(pane, None).grown(stream, len, ended, trouble);
                }
                Some(ToManager::Ended { pane, ended }) => self.follow(pane, None).ended(ended),
                Some(ToManager::Replaced) => self.0.replaced.store(true, Ordering::SeqCst),
                None => {}
            }
        }
        Ok(())
    }

    fn answered(&self, id: u32, answer: Answer) {
        let Some(waiting) = locked(&self.0.calls).remove(&id) else { return };
        if let (Some((pane, size)), Answer::Resized { from }) = (waiting.resize, &answer) {
            self.follow(pane, None).resized(*from, size);
        }
        let _ = waiting.reply.send(answer); // whoever asked may have gone
    }

    fn lose(&self) {
        self.0.lost.cancel();
        locked(&self.0.calls).clear();
        locked(&self.0.panes).values().for_each(|follow| follow.lose(self.end()));
    }

    /// What the end of the link means for a pane.
    fn end(&self) -> End {
        if self.0.replaced.load(Ordering::SeqCst) { End::Parted } else { End::Lost }
    }
}

/// What an answer that was not hoped for means.
pub(crate) fn unexpected(answer: Result<Answer, Error>) -> Error {
    match answer {
        Ok(Answer::Refused { kind, message, hint }) => Error::Refused { kind, message, hint },
        Ok(_) => Error::HolderGone,
        Err(error) => error,
    }
}

/// The whole environment of a pane's process.
fn environ(spec: &PaneSpec) -> Variables {
    let mut all: std::collections::BTreeMap<_, _> =
        orchflow_runtime::env::for_children().into_iter().collect();
    if spec.tty {
        // What the screen model is, whatever terminal the daemon was started from.
        all.insert("TERM".into(), "xterm-256color".into());
        all.insert("COLORTERM".into(), "truecolor".into());
        for size in ["LINES", "COLUMNS"] {
            all.remove(std::ffi::OsStr::new(size));
        }
    }
    for name in &spec.without_env {
        all.remove(std::ffi::OsStr::new(name));
    }
    all.extend(spec.env.iter().map(|(name, value)| (name.into(), value.into())));
    all.into_iter().collect()
}

/// Whether there is no holder, or one that is just going.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}
