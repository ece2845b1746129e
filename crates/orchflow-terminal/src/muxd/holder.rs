//! The holder: the panes it has, and the door at which one manager at a time is served.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orchflow_runtime::{CancellationToken, Supervisor, TaskKind};
use orchflow_types::{ErrorKind, Explain, PaneId};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::held::{self, Held};
use super::locked;
use super::session;
use super::wire::{Answer, Call, Variables};
use crate::PaneSpec;

/// The longest pause before the door is tried again when descriptors ran out.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a manager may take to hear the last of it.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a holder and its sessions have together.
#[derive(Clone)]
pub(super) struct Holder(Arc<Inner>);

struct Inner {
    panes: Mutex<HashMap<PaneId, Held>>,
    /// What panes run under; its shutdown ends them.
    supervisor: Supervisor,
    /// Ends the holder once every pane has ended.
    quit: CancellationToken,
    /// Told once every pane has ended, when the holder ends.
    closing: CancellationToken,
    /// The session there is; ended when another begins.
    session: Mutex<(CancellationToken, Option<JoinHandle<()>>)>,
    /// Told when a manager goes or a pane is forgotten.
    changed: Notify,
}

/// Holds panes for whoever of this user connects to `door`, until asked to quit, or until
/// there was neither a pane nor a manager for as long as `lonely`. Supervised tasks run under
/// `supervisor`, whose shutdown ends every pane.
///
/// # Errors
/// When the door can no longer be served.
pub async fn serve(door: UnixListener, supervisor: Supervisor, lonely: Duration) -> io::Result<()> {
    let holder = Holder(Arc::new(Inner {
        panes: Mutex::default(),
        quit: CancellationToken::new(),
        closing: CancellationToken::new(),
        session: Mutex::default(),
        changed: Notify::new(),
        supervisor,
    }));
    let shutdown = holder.0.supervisor.shutdown().clone();
    let forgotten = holder.is_forgotten(lonely);
    tokio::pin!(forgotten);
    loop {
        let accepted = tokio::select! {
            () = holder.0.quit.cancelled() => return holder.end().await,
            () = shutdown.cancelled() => return holder.end().await,
            () = &mut forgotten => return Ok(()),
            accepted = door.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) if is_ours(&stream) => holder.begin(stream),
            Ok(_) => tracing::warn!("another user's process was turned away"),
            Err(error) if is_passing(&error) => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error),
        }
    }
}

impl Holder {
    /// Serves a manager that has come; the one before it is out of date.
    fn begin(&self, stream: UnixStream) {
        let mut session = locked(&self.0.session);
        session.0.cancel();
        let mine = CancellationToken::new();
        let work = session::run(self.clone(), stream, mine.clone());
        let task = self.0.supervisor.spawn(TaskKind::Connection, "muxd session", work);
        *session = (mine, Some(task));
    }

    /// Waits until nothing is held and nobody was there to hold something for `lonely`.
    async fn is_forgotten(&self, lonely: Duration) {
        let alone = || locked(&self.0.panes).is_empty() && locked(&self.0.session).0.is_cancelled();
        loop {
            while !alone() {
                self.0.changed.notified().await;
            }
            tokio::time::sleep(lonely).await;
            if alone() {
                return;
            }
        }
    }

    /// Says that a manager has gone, or that a pane is held no more.
    pub(super) fn has_changed(&self) {
        self.0.changed.notify_one();
    }

    /// Waits until every pane has ended and the manager knows it.
    async fn end(&self) -> io::Result<()> {
        for held in self.panes() {
            let _ = held.ended().wait_for(Option::is_some).await;
        }
        self.0.closing.cancel();
        let session = locked(&self.0.session).1.take();
        if let Some(session) = session {
            let _ = tokio::time::timeout(FAREWELL, session).await;
        }
        Ok(())
    }

    pub(super) fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }

    pub(super) fn supervisor(&self) -> &Supervisor {
        &self.0.supervisor
    }

    pub(super) fn panes(&self) -> Vec<Held> {
        locked(&self.0.panes).values().cloned().collect()
    }

    pub(super) fn get(&self, pane: PaneId) -> Option<Held> {
        locked(&self.0.panes).get(&pane).cloned()
    }

    /// Does what a manager asks for, unless its session is `over`.
    pub(super) async fn answer(
        &self,
        call: Call,
        environ: Variables,
        over: &CancellationToken,
    ) -> Answer {
        let done = |done: Result<(), crate::Error>| done.map_or_else(refused, |()| Answer::Done);
        match call {
            Call::Spawn { spec } => self.spawn(spec, environ, over),
            Call::List => Answer::Panes { panes: self.panes().iter().map(Held::listed).collect() },
            Call::CloseInput { pane } => self.with(pane, |held| done(held.close_input())),
            Call::Resize { pane, size } => self.with(pane, |held| {
                held.resize(size).map_or_else(refused, |from| Answer::Resized { from })
            }),
            Call::End { pane, grace_ms } => {
                let Some(held) = self.get(pane) else { return unknown(pane) };
                held.end(Duration::from_millis(grace_ms)).await;
                Answer::Done
            }
            Call::Forget { pane } => self.forget(pane),
            Call::Quit { grace_ms } => {
                let grace = Duration::from_millis(grace_ms);
                let ends =
                    self.panes().into_iter().map(|held| async move { held.end(grace).await });
                futures::future::join_all(ends).await;
                self.0.quit.cancel();
                Answer::Done
            }
        }
    }

    fn spawn(&self, spec: PaneSpec, environ: Variables, over: &CancellationToken) -> Answer {
        let pane = spec.pane_id;
        let mut panes = locked(&self.0.panes);
        // Under the lock: the next manager's list comes after this, or this never comes.
        if over.is_cancelled() {
            let message = "another manager has taken over".to_owned();
            return Answer::Refused { kind: ErrorKind::Conflict, message, hint: None };
        }
        if panes.contains_key(&pane) {
            let message = format!("{pane} is held already");
            return Answer::Refused { kind: ErrorKind::Conflict, message, hint: None };
        }
        let held = match held::spawn(spec, environ, &self.0.supervisor) {
            Ok(held) => held,
            Err(error) => return refused(error),
        };
        let (pid, start_time) = held.process();
        panes.insert(pane, held);
        Answer::Spawned { pid, start_time }
    }

    fn with(&self, pane: PaneId, work: impl FnOnce(&Held) -> Answer) -> Answer {
        self.get(pane).map_or_else(|| unknown(pane), |held| work(&held))
    }

    fn forget(&self, pane: PaneId) -> Answer {
        let mut panes = locked(&self.0.panes);
        match panes.get(&pane).map(|held| held.ended().borrow().is_some()) {
            Some(false) => {
                let message = format!("{pane} has not ended");
                Answer::Refused { kind: ErrorKind::Conflict, message, hint: None }
            }
            Some(true) | None => {
                panes.remove(&pane);
                self.has_changed();
                Answer::Done
            }
        }
    }
}

/// An error as a manager is told of it.
pub(super) fn refused(error: crate::Error) -> Answer {
    Answer::Refused { kind: error.kind(), message: error.message(), hint: error.hint() }
}

fn unknown(pane: PaneId) -> Answer {
    refused(crate::Error::Ended { pane })
}

fn is_ours(stream: &UnixStream) -> bool {
    let me = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == me)
}

/// Whether the door will work again by itself.
fn is_passing(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(
        code,
        Some(
            rustix::io::Errno::MFILE
                | rustix::io::Errno::NFILE
                | rustix::io::Errno::NOBUFS
                | rustix::io::Errno::NOMEM
                | rustix::io::Errno::CONNABORTED
                | rustix::io::Errno::INTR
        )
    )
}
