//! One manager's connection to the holder: what it asks for, in order, and what it is told.

use std::io;

use orchflow_runtime::{CancellationToken, TaskKind};
use orchflow_types::PaneId;
use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::mpsc;

use super::held::Held;
use super::holder::{Holder, refused};
use super::wire::{self, Answer, Call, MAGIC, ToHolder, ToManager, Trouble, Variables};
use crate::{LogReader, Stream, Summary};

/// Frames that may wait for a manager. Who tells of output waits for a place, and tells
/// then of all there is: a slow manager costs no memory and holds up no pane.
const WAITING: usize = 256;

/// Serves a manager until it goes away, another comes, or the holder ends.
pub(super) async fn run(
    holder: Holder,
    stream: UnixStream,
    over: CancellationToken,
) -> Result<(), io::Error> {
    let (read, write) = stream.into_split();
    let (frames, waiting) = mpsc::channel(WAITING);
    let session = Session { holder, frames, over };
    let (served, spoken) = tokio::join!(serve(session, read), wire::speak(write, waiting));
    served.and(spoken)
}

/// Serves, and lets go of the queue then, so that it is written to its end.
async fn serve(session: Session, read: OwnedReadHalf) -> io::Result<()> {
    let served = tokio::select! {
        () = session.over.cancelled() => {
            session.send(ToManager::Replaced.encode()).await;
            return Ok(());
        }
        () = session.farewell() => Ok(()),
        served = session.listen(BufReader::new(read)) => served,
    };
    session.over.cancel();
    // The manager is gone: nothing waits for it any more.
    session.holder.panes().iter().for_each(|held| held.took(|taken| taken.attached = false));
    session.holder.has_changed();
    served
}

#[derive(Clone)]
struct Session {
    holder: Holder,
    frames: mpsc::Sender<Vec<u8>>,
    over: CancellationToken,
}

impl Session {
    /// Tells how everything ended, when the holder itself ends.
    async fn farewell(&self) {
        self.holder.closing().cancelled().await;
        for held in self.holder.panes() {
            let (pane, ended) = (held.id(), *held.ended().borrow());
            for (stream, log) in held.logs() {
                self.send(growth(pane, stream, &log).encode()).await;
            }
            if let Some(ended) = ended {
                self.send(ToManager::Ended { pane, ended }.encode()).await;
            }
        }
    }

    async fn listen(&self, mut from: BufReader<OwnedReadHalf>) -> io::Result<()> {
        self.send(MAGIC.to_vec()).await;
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic).await?;
        if &magic != MAGIC {
            // It has been told which version is spoken here.
            return Err(io::Error::new(io::ErrorKind::InvalidData, "another version"));
        }
        self.holder.panes().iter().for_each(|held| self.follow(held));
        while let Some(frame) = wire::read(&mut from).await? {
            match ToHolder::decode(&frame)? {
                Some(ToHolder::Call { id, call, environ }) => self.call(id, call, environ).await,
                Some(ToHolder::Input { id, pane, bytes }) => {
                    let written = match self.holder.get(pane) {
                        Some(held) => held.write(&bytes),
                        None => Err(crate::Error::InputClosed { pane }),
                    };
                    let answer = written.map_or_else(refused, |()| Answer::Done);
                    self.send(ToManager::Answer { id, answer }.encode()).await;
                }
                Some(ToHolder::Taken { pane, stream: Stream::Output, offset }) => {
                    if let Some(held) = self.holder.get(pane) {
                        held.took(|taken| taken.offset = offset);
                    }
                }
                Some(ToHolder::Taken { .. }) | None => {}
            }
        }
        Ok(())
    }

    /// Answers in the order of the calls, but for ends, which take their time.
    async fn call(&self, id: u32, call: Call, environ: Variables) {
        let session = self.clone();
        let slow = matches!(call, Call::End { .. } | Call::Quit { .. });
        let born = if let Call::Spawn { spec } = &call { Some(spec.pane_id) } else { None };
        let work = async move {
            let answer = session.holder.answer(call, environ, &session.over).await;
            let spawned = matches!(answer, Answer::Spawned { .. });
            session.send(ToManager::Answer { id, answer }.encode()).await;
            if let Some(held) = born.filter(|_| spawned).and_then(|pane| session.holder.get(pane)) {
                session.follow(&held);
            }
        };
        if slow {
            // Also when its manager goes away: what was asked for is done.
            let work = async move {
                work.await;
                Ok::<_, std::convert::Infallible>(())
            };
            self.holder.supervisor().spawn(TaskKind::Pane, "muxd call", work);
        } else {
            work.await;
        }
    }

    /// Tells of a pane's output and of its end, as they come.
    fn follow(&self, held: &Held) {
        held.took(|taken| taken.attached = true);
        let pane = held.id();
        for (stream, log) in held.logs() {
            self.spawn("muxd output", self.clone().tell_growth(pane, stream, log));
        }
        let (session, mut ended) = (self.clone(), held.ended());
        self.spawn("muxd end", async move {
            let ended = ended.wait_for(Option::is_some).await.ok().and_then(|ended| *ended);
            if let Some(ended) = ended {
                session.send(ToManager::Ended { pane, ended }.encode()).await;
            }
        });
    }

    async fn tell_growth(self, pane: PaneId, stream: Stream, log: LogReader) {
        loop {
            let now = log.summary();
            self.send(growth(pane, stream, &log).encode()).await;
            if now.ended || !log.changed_since(&now).await {
                return;
            }
        }
    }

    fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let over = self.over.clone();
        let work = async move {
            tokio::select! {
                () = over.cancelled() => {}
                () = work => {}
            }
            Ok::<_, std::convert::Infallible>(())
        };
        self.holder.supervisor().spawn(TaskKind::Connection, name, work);
    }

    async fn send(&self, frame: Vec<u8>) {
        let _ = self.frames.send(frame).await; // whoever listened may be gone
    }
}

fn growth(pane: PaneId, stream: Stream, log: &LogReader) -> ToManager {
    let Summary { len, ended, failing, .. } = log.summary();
    let trouble = Trouble { lost: log.lost(), failing: failing.as_deref().map(str::to_owned) };
    ToManager::Grown { pane, stream, len, ended, trouble }
}
