//! The transport within one process: typed values through a bounded channel.

use std::any::Any;

use orchflow_protocol::Error;
use orchflow_protocol::events::Batch;
use orchflow_protocol::stream::PaneOutput;
use orchflow_types::ErrorKind;
use tokio::sync::{mpsc, oneshot};

use crate::Client;
use crate::call::gone;

/// Params or a result: as their own type, or as JSON for callers that have no types.
#[derive(Debug)]
pub enum Payload {
    /// The method's own `Params` or `Result`.
    Typed(Box<dyn Any + Send>),
    /// The same as JSON.
    Json(serde_json::Value),
}

impl Payload {
    /// The value inside, when it is a `T`.
    ///
    /// # Errors
    /// `internal` when the other side sent another type under this method's name.
    pub fn typed<T: 'static>(self, method: &str) -> Result<T, Error> {
        if let Self::Typed(value) = self
            && let Ok(value) = value.downcast::<T>()
        {
            return Ok(*value);
        }
        Err(Error::new(ErrorKind::Internal, format!("`{method}` was sent in another shape")))
    }
}

/// What a daemon tells unasked.
#[derive(Debug, Clone)]
pub enum Notification {
    /// Events of a subscription.
    Events(Batch),
    /// Output of a pane.
    Output(PaneOutput),
}

/// Where notifications go. Bounded: a slow follower makes its own feeder wait, nobody else.
pub type NotificationSender = mpsc::Sender<Notification>;

/// One call as it arrives at the serving side.
#[derive(Debug)]
pub struct Call {
    /// The method's name.
    pub method: String,
    /// Its params.
    pub params: Payload,
    /// Where its notifications go, for calls that open a stream or a subscription.
    pub notify: Option<NotificationSender>,
    /// Where the answer goes; in the shape (typed or JSON) the params came in.
    pub reply: oneshot::Sender<Result<Payload, Error>>,
}

/// The serving side of [`in_process`].
#[derive(Debug)]
pub struct Endpoint(mpsc::Receiver<Call>);

impl Endpoint {
    /// The next call; none when every client is gone.
    pub async fn next(&mut self) -> Option<Call> {
        self.0.recv().await
    }
}

/// A client and the endpoint it calls, in one process.
#[must_use]
pub fn in_process() -> (Client, Endpoint) {
    const CALLS_WAITING: usize = 1024; // a full queue makes callers wait, which slows them only
    let (sender, receiver) = mpsc::channel(CALLS_WAITING);
    (Client::over_channel(InProcess(sender)), Endpoint(receiver))
}

#[derive(Debug, Clone)]
pub(crate) struct InProcess(mpsc::Sender<Call>);

impl InProcess {
    pub(crate) async fn call(
        &self,
        method: &str,
        params: Payload,
        notify: Option<NotificationSender>,
    ) -> Result<Payload, Error> {
        let (reply, answer) = oneshot::channel();
        let call = Call { method: method.to_owned(), params, notify, reply };
        self.0.send(call).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
