//! One client on a connection that carries frames both ways: the socket's or a WebSocket's.
//!
//! Requests run concurrently and are answered as they end. What is read is bounded by
//! the requests under way, and those are counted until their answer was written; so a
//! client that does not read its answers is not read from either. Notifications have a
//! queue of their own, and answers go first.

use std::sync::Arc;

use futures::future;
use orchflow_client::Payload;
use orchflow_protocol::Error;
use orchflow_protocol::rpc::{self, Incoming, Invalid, MAX_FRAME, Request};
use orchflow_protocol::system::Hello;
use orchflow_runtime::{CancellationToken, TaskKind};
use orchflow_types::ErrorKind;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::ending::Ending;
use crate::follow::{Follower, Follows, Sink};
use crate::table::Started;
use crate::{Caller, Table};

/// Requests of one connection under way; while there are as many, it is not read from.
const REQUESTS: usize = 256;

/// Notifications that wait to be written; feeders wait for room. With the largest chunk
/// of pane output they hold less than 4 MiB.
const NOTIFICATIONS: usize = 32;

/// The reading side of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    table: Table,
    caller: Caller,
    follows: Follows,
    slots: Arc<Semaphore>,
    answers: mpsc::Sender<Outgoing>,
    notifications: mpsc::Sender<String>,
    ending: Ending,
    ended: CancellationToken,
}

/// What is to be written next.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// The frame, without an end of line.
    pub(crate) text: String,
    /// Held until the frame was written.
    _slots: Option<OwnedSemaphorePermit>,
}

/// The writing side of a connection.
#[derive(Debug)]
pub(crate) struct Queue {
    answers: mpsc::Receiver<Outgoing>,
    notifications: mpsc::Receiver<String>,
    ended: CancellationToken,
}

impl Queue {
    /// Cancelled when the connection is over, written to or not.
    pub(crate) fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// What to write next; none when the connection is over.
    pub(crate) async fn next(&mut self) -> Option<Outgoing> {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => None,
            Some(answer) = self.answers.recv() => Some(answer),
            Some(text) = self.notifications.recv() => Some(Outgoing { text, _slots: None }),
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.ended.cancel(); // nobody writes any more, so nothing needs to be read
    }
}

impl Connection {
    /// A connection of `caller`, and its queue, in which the first message waits already.
    pub(crate) fn open(table: Table, caller: Caller, ending: Ending) -> (Self, Queue) {
        // Answers hold a slot each, so this queue never makes anyone wait.
        let (answers, answers_out) = mpsc::channel(REQUESTS + 1);
        let (notifications, notifications_out) = mpsc::channel(NOTIFICATIONS);
        let ended = ending.drop.child_token();
        let hello = rpc::notification(Hello::NAME, &hello()).to_string();
        let _ = answers.try_send(Outgoing { text: hello, _slots: None }); // the queue is empty
        let queue =
            Queue { answers: answers_out, notifications: notifications_out, ended: ended.clone() };
        let follows = Follows::new(ending.tasks.clone(), ended.clone());
        let slots = Arc::new(Semaphore::new(REQUESTS));
        let connection =
            Self { table, caller, follows, slots, answers, notifications, ending, ended };
        (connection, queue)
    }

    /// Cancelled when there is nothing more to read for: the daemon stops, or the
    /// connection is over.
    pub(crate) async fn stopped(&self) {
        tokio::select! {
            () = self.ending.stop.cancelled() => {}
            () = self.ended.cancelled() => {}
        }
    }

    /// Takes one frame in. Waits while too many requests are under way.
    pub(crate) async fn frame(&self, frame: &[u8]) {
        match rpc::parse(frame) {
            Ok(Incoming::Single(item)) => {
                let Some(slots) = self.slots(1).await else { return };
                let calls = vec![self.begin(item)];
                self.answer(calls, slots, false);
            }
            Ok(Incoming::Batch(items)) => {
                let Some(slots) = self.slots(items.len()).await else { return };
                let calls = items.into_iter().map(|item| self.begin(item)).collect();
                self.answer(calls, slots, true);
            }
            Err(invalid) => self.refuse(invalid).await,
        }
    }

    /// Answers that a frame was longer than [`MAX_FRAME`]; the connection cannot go on.
    pub(crate) async fn too_long(&self) {
        let text = format!("a frame has at most {MAX_FRAME} bytes");
        let error = Error::new(ErrorKind::InvalidRequest, text);
        self.refuse(Invalid { id: rpc::Id::Null, error }).await;
    }

    /// Waits until every request that was read is answered, then ends the connection.
    pub(crate) async fn finish(&self) {
        let _ = self.slots(REQUESTS).await;
        self.ended.cancel();
    }

    /// Ends the connection now. Requests under way run on; nobody hears of them.
    pub(crate) fn end(&self) {
        self.ended.cancel();
    }

    async fn slots(&self, wanted: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(wanted.min(REQUESTS)).unwrap_or(1);
        tokio::select! {
            slots = self.slots.clone().acquire_many_owned(wanted) => slots.ok(),
            () = self.ended.cancelled() => None,
        }
    }

    async fn refuse(&self, invalid: Invalid) {
        let Some(slots) = self.slots(1).await else { return };
        let text = rpc::answer(&invalid.id, Err(invalid.error)).to_string();
        let _ = self.answers.send(Outgoing { text, _slots: Some(slots) }).await;
    }

    /// Gives a request its place, in the order requests were read.
    fn begin(&self, item: Result<Request, Invalid>) -> Begun {
        let answered = CancellationToken::new();
        let sink = Sink::Frames(self.notifications.clone());
        let follower = self.follows.follower(sink, answered.clone());
        Begun::new(&self.table, &self.caller, item, Some(follower), answered)
    }

    /// Runs what has begun and queues the answer. It runs to its end even when the client
    /// has gone: what was asked for was asked for.
    fn answer(&self, calls: Vec<Begun>, slots: OwnedSemaphorePermit, batch: bool) {
        let answers = self.answers.clone();
        let dropped = self.ending.drop.clone();
        let work = async move {
            let follows: Vec<_> = calls.iter().map(|call| call.answered.clone()).collect();
            let text = tokio::select! {
                text = frame_of(calls, batch) => text,
                () = dropped.cancelled() => return Ok(()),
            };
            if let Some(text) = text {
                // The client may have gone in the meantime.
                let _ = answers.send(Outgoing { text, _slots: Some(slots) }).await;
            }
            follows.iter().for_each(CancellationToken::cancel);
            Ok::<(), Error>(())
        };
        self.ending.tasks.spawn(TaskKind::Request, "request", work);
    }
}

/// The answer to one frame at a door where nothing is followed; none when it needs none.
pub(crate) async fn respond(table: &Table, caller: &Caller, frame: &[u8]) -> Option<String> {
    let begin = |item| Begun::new(table, caller, item, None, CancellationToken::new());
    match rpc::parse(frame) {
        Ok(Incoming::Single(item)) => frame_of(vec![begin(item)], false).await,
        Ok(Incoming::Batch(items)) => frame_of(items.into_iter().map(begin).collect(), true).await,
        Err(invalid) => Some(rpc::answer(&invalid.id, Err(invalid.error)).to_string()),
    }
}

/// A request that has its place.
struct Begun {
    /// What to answer under; none for a notification.
    id: Option<rpc::Id>,
    started: Started,
    /// Cancelled once the answer is on its way: what the request follows may begin.
    answered: CancellationToken,
}

impl Begun {
    fn new(
        table: &Table,
        caller: &Caller,
        item: Result<Request, Invalid>,
        follower: Option<Follower>,
        answered: CancellationToken,
    ) -> Self {
        let (id, started) = match item {
            Ok(Request { id, method, params }) => {
                (id, table.start_with(caller, &method, Payload::Json(params), follower))
            }
            Err(Invalid { id, error }) => {
                let refused: Started = Box::pin(future::ready(Err(error)));
                (Some(id), refused)
            }
        };
        Self { id, started, answered }
    }
}

/// Runs calls side by side; answers the frame for all that have an id, in their order.
async fn frame_of(calls: Vec<Begun>, batch: bool) -> Option<String> {
    let run = |call: Begun| async move { (call.id, as_json(call.started.await)) };
    let results = future::join_all(calls.into_iter().map(run)).await;
    let (mut frame, mut room) = (String::new(), MAX_FRAME - "[]".len());
    for (id, result) in results {
        let Some(id) = id else { continue };
        let mut text = rpc::answer(&id, result).to_string();
        if text.len() >= room {
            // Nobody could read the frame; an error in its place always has room.
            text = rpc::answer(&id, Err(too_much())).to_string();
        }
        room = room.saturating_sub(text.len() + ",".len());
        frame += if frame.is_empty() { "" } else { "," };
        frame += &text;
    }
    match (frame.is_empty(), batch) {
        (true, _) => None,
        (false, true) => Some(format!("[{frame}]")),
        (false, false) => Some(frame),
    }
}

fn too_much() -> Error {
    let text = format!("the answer would be longer than a frame may be ({MAX_FRAME} bytes)");
    Error::new(ErrorKind::InvalidParams, text).hint("ask for less at once, by `limit`")
}

fn as_json(result: Result<Payload, Error>) -> Result<Value, Error> {
    match result? {
        Payload::Json(value) => Ok(value),
        Payload::Typed(_) => Err(Error::new(ErrorKind::Internal, "an answer that is no JSON")),
    }
}

fn hello() -> Hello {
    Hello {
        name: "orchflow".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: orchflow_protocol::VERSION.to_owned(),
        capabilities: Vec::new(),
    }
}
