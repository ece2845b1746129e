//! What a connection follows: its subscriptions and streams, each fed by a task of its own.
//!
//! A feeder waits for room in the connection's queue, and only the feeder does: calls
//! and other feeders go on. It begins after the answer that names it was sent, and ends
//! with the connection, when it is closed by name, or when nobody listens any more.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orchflow_client::{Notification, NotificationSender};
use orchflow_protocol::events::Batch;
use orchflow_protocol::stream::PaneOutput;
use orchflow_protocol::{Error, rpc};
use orchflow_runtime::{CancellationToken, Supervisor, TaskKind};
use orchflow_types::ErrorKind;
use tokio::sync::mpsc;

/// The most subscriptions and streams one connection may have open.
const MOST: usize = 256;

/// Everything one connection follows. Cheap to clone; clones are the same connection's.
#[derive(Debug, Clone)]
pub(crate) struct Follows {
    open: Arc<Mutex<HashMap<u64, CancellationToken>>>,
    last: Arc<AtomicU64>,
    supervisor: Supervisor,
    ended: CancellationToken,
}

/// Where notifications go.
#[derive(Debug, Clone)]
pub(crate) enum Sink {
    /// To a follower in this process, as they are.
    Channel(NotificationSender),
    /// To a connection's queue, as frames.
    Frames(mpsc::Sender<String>),
}

impl Sink {
    async fn send(&self, notification: Notification) -> Result<(), Gone> {
        match self {
            Self::Channel(sender) => sender.send(notification).await.map_err(|_| Gone),
            Self::Frames(sender) => {
                // The place in the queue first: a feeder that waits holds no frame.
                let place = sender.reserve().await.map_err(|_| Gone)?;
                let frame = match &notification {
                    Notification::Events(batch) => rpc::notification(Batch::NAME, batch),
                    Notification::Output(chunk) => rpc::notification(PaneOutput::NAME, chunk),
                };
                place.send(frame.to_string());
                Ok(())
            }
        }
    }

    async fn closed(&self) {
        match self {
            Self::Channel(sender) => sender.closed().await,
            Self::Frames(sender) => sender.closed().await,
        }
    }
}

/// Nobody listens any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gone;

impl Follows {
    /// Nothing followed yet, on a connection that is over when `ended` is cancelled.
    pub(crate) fn new(supervisor: Supervisor, ended: CancellationToken) -> Self {
        let (open, last) = (Arc::default(), Arc::default());
        Self { open, last, supervisor, ended }
    }

    /// What one call may open feeders by. They begin when `answered` is cancelled.
    pub(crate) fn follower(&self, sink: Sink, answered: CancellationToken) -> Follower {
        Follower { follows: self.clone(), sink, answered }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, CancellationToken>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call's way to open and close feeders of its connection.
#[derive(Debug, Clone)]
pub(crate) struct Follower {
    follows: Follows,
    sink: Sink,
    answered: CancellationToken,
}

impl Follower {
    /// Starts a feeder and answers its name.
    ///
    /// # Errors
    /// `overloaded` when the connection follows too much already.
    pub(crate) fn start<F, Fut>(self, kind: &'static str, feeder: F) -> Result<u64, Error>
    where
        F: FnOnce(Feed) -> Fut,
        Fut: Future<Output = Result<(), Gone>> + Send + 'static,
    {
        let name = self.follows.last.fetch_add(1, Ordering::Relaxed) + 1;
        let closed = self.follows.ended.child_token();
        {
            let mut open = self.follows.open();
            if open.len() >= MOST {
                let text = format!("this connection follows {MOST} things already");
                return Err(Error::new(ErrorKind::Overloaded, text)
                    .hint("end a subscription or a stream first"));
            }
            open.insert(name, closed.clone());
        }
        let forget = Forget { follows: self.follows.clone(), name };
        let work = feeder(Feed { name, sink: self.sink.clone() });
        let task = async move {
            let _forget = forget;
            let feeding = async {
                self.answered.cancelled().await;
                work.await
            };
            tokio::select! {
                // A feeder ends because its source did, or because nobody listens: both are fine.
                _ = feeding => {}
                () = closed.cancelled() => {}
                () = self.sink.closed() => {}
            }
            Ok::<(), Error>(())
        };
        self.follows.supervisor.spawn(TaskKind::Connection, kind, task);
        Ok(name)
    }

    /// Ends a feeder of this connection.
    ///
    /// # Errors
    /// `not_found` when it has none of this name.
    pub(crate) fn close(&self, kind: &str, name: u64) -> Result<(), Error> {
        let token = self.follows.open().remove(&name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("this connection has no {kind} {name}"))
        })?;
        token.cancel();
        Ok(())
    }
}

/// What a feeder sends by.
#[derive(Debug)]
pub(crate) struct Feed {
    /// The feeder's name on its connection.
    pub(crate) name: u64,
    sink: Sink,
}

impl Feed {
    /// Sends, waiting for room.
    pub(crate) async fn send(&self, notification: Notification) -> Result<(), Gone> {
        self.sink.send(notification).await
    }
}

struct Forget {
    follows: Follows,
    name: u64,
}

impl Drop for Forget {
    fn drop(&mut self) {
        self.follows.open().remove(&self.name);
    }
}

/// What a call that would follow something is told at a door that cannot.
pub(crate) fn required(follower: Option<Follower>) -> Result<Follower, Error> {
    follower.ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "a single request cannot follow anything")
            .hint("GET /events follows events; /ws and the Unix socket follow everything")
    })
}
