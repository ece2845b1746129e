//! The client: one handle for every transport.

use orchflow_protocol::events::SubscribeParams;
use orchflow_protocol::stream::OpenParams;
use orchflow_protocol::{Error, Method};
use orchflow_types::ErrorKind;
use serde_json::Value;

use crate::in_process::{InProcess, Payload};
use crate::socket::Socket;
use crate::streams::{Events, Output};

/// Calls methods. Cheap to clone; clones share one connection.
#[derive(Debug, Clone)]
pub struct Client(Transport);

#[derive(Debug, Clone)]
enum Transport {
    InProcess(InProcess),
    Socket(Socket),
}

impl Client {
    pub(crate) const fn over_channel(channel: InProcess) -> Self {
        Self(Transport::InProcess(channel))
    }

    pub(crate) const fn over_socket(socket: Socket) -> Self {
        Self(Transport::Socket(socket))
    }

    /// Calls a method and waits for its answer.
    ///
    /// # Errors
    /// What the method answers; `unavailable` when the other side is gone.
    pub async fn call<M: Method>(&self, params: M::Params) -> Result<M::Result, Error> {
        match &self.0 {
            Transport::InProcess(channel) => {
                let reply = channel.call(M::NAME, Payload::Typed(Box::new(params)), None).await?;
                reply.typed::<M::Result>(M::NAME)
            }
            Transport::Socket(socket) => {
                let reply = socket.call(M::NAME, to_json(&params)?).await?;
                serde_json::from_str(reply.get()).map_err(|error| unreadable(M::NAME, &error))
            }
        }
    }

    /// Calls a method by name with JSON, for callers that have no types.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_json(&self, method: &str, params: Value) -> Result<Value, Error> {
        match &self.0 {
            Transport::InProcess(channel) => {
                match channel.call(method, Payload::Json(params), None).await? {
                    Payload::Json(value) => Ok(value),
                    Payload::Typed(_) => Err(Error::new(
                        ErrorKind::Internal,
                        format!("`{method}` answered in another shape"),
                    )),
                }
            }
            Transport::Socket(socket) => {
                let reply = socket.call(method, params).await?;
                serde_json::from_str(reply.get()).map_err(|error| unreadable(method, &error))
            }
        }
    }

    /// Follows events, from a cursor or from now.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn events(&self, params: SubscribeParams) -> Result<Events, Error> {
        match &self.0 {
            Transport::InProcess(channel) => Events::in_process(channel, params).await,
            Transport::Socket(socket) => Events::over_socket(socket, params).await,
        }
    }

    /// Follows a pane's output, from an offset to its end.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn output(&self, params: OpenParams) -> Result<Output, Error> {
        match &self.0 {
            Transport::InProcess(channel) => Output::in_process(channel, params).await,
            Transport::Socket(socket) => Output::over_socket(socket, params).await,
        }
    }
}

pub(crate) fn to_json<P: serde::Serialize>(params: &P) -> Result<Value, Error> {
    serde_json::to_value(params).map_err(|error| {
        Error::new(ErrorKind::InvalidParams, format!("params that are no JSON: {error}"))
    })
}

pub(crate) fn unreadable(method: &str, error: &serde_json::Error) -> Error {
    Error::new(
        ErrorKind::VersionMismatch,
        format!("the daemon's answer to `{method}` could not be read: {error}"),
    )
    .hint("the daemon may be of another version: `orchflow down`, then try again")
}

pub(crate) fn gone() -> Error {
    Error::new(ErrorKind::Unavailable, "the daemon closed the connection")
        .hint("`orchflow status` starts it again; `orchflow logs` says why it ended")
}
