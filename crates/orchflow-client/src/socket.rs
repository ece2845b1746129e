//! The transport over the daemon's Unix socket: one JSON-RPC frame a line.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{SinkExt, StreamExt};
use orchflow_protocol::Error;
use orchflow_protocol::rpc::{self, FromDaemon, Id, MAX_FRAME};
use orchflow_protocol::system::Hello;
use orchflow_runtime::{Supervisor, TaskKind};
use orchflow_types::ErrorKind;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::oneshot;
use tokio_util::codec::{Framed, FramedRead, FramedWrite, LinesCodec, LinesCodecError};

use crate::Client;
use crate::call::gone;

/// Connects to a daemon by its socket and reads its first message.
///
/// # Errors
/// `unavailable` when nobody listens there, `version_mismatch` when the daemon speaks
/// another version of the protocol.
pub async fn connect(path: &Path) -> Result<(Client, Hello), Error> {
    let (frames, hello) = dial(path).await?;
    let parts = frames.0.into_parts();
    let (read, write) = parts.io.into_split();
    let mut reader = FramedRead::new(read, parts.codec);
    *reader.read_buffer_mut() = parts.read_buf;
    let pending = Arc::new(Mutex::new(Some(HashMap::new())));
    let answers = pending.clone();
    let listen = async move {
        while let Some(Ok(line)) = reader.next().await {
            deliver(&answers, &line);
        }
        // Dropping the senders tells everyone who waits that no answer will come.
        answers.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok::<(), Error>(())
    };
    Supervisor::new().spawn(TaskKind::Connection, "client", listen);
    let writer = tokio::sync::Mutex::new(FramedWrite::new(write, LinesCodec::new()));
    let shared = Shared { path: path.to_owned(), writer, pending, next_id: AtomicI64::new(1) };
    Ok((Client::over_socket(Socket(Arc::new(shared))), hello))
}

async fn dial(path: &Path) -> Result<(Frames, Hello), Error> {
    let stream = UnixStream::connect(path).await.map_err(|error| {
        let text = format!("no daemon answers at {}: {error}", path.display());
        Error::new(ErrorKind::Unavailable, text).hint("`orchflow up` starts it")
    })?;
    let mut frames = Frames(Framed::new(stream, LinesCodec::new_with_max_length(MAX_FRAME)));
    let first = frames.next().await?.ok_or_else(gone)?;
    let hello = first.params.filter(|_| first.method.as_deref() == Some(Hello::NAME));
    let hello: Option<Hello> = hello.and_then(|params| serde_json::from_str(params.get()).ok());
    let Some(hello) = hello else {
        let text = format!("what listens at {} is not orchflow", path.display());
        return Err(Error::new(ErrorKind::VersionMismatch, text));
    };
    if hello.protocol != orchflow_protocol::VERSION {
        let (theirs, ours) = (&hello.protocol, orchflow_protocol::VERSION);
        let text = format!(
            "the daemon (orchflow {}) speaks protocol {theirs}, this command {ours}",
            hello.version
        );
        return Err(Error::new(ErrorKind::VersionMismatch, text)
            .hint("`orchflow down` ends it; the next command starts this version's"));
    }
    Ok((frames, hello))
}

type Answer = Result<Box<RawValue>, Error>;
type Pending = Arc<Mutex<Option<HashMap<i64, oneshot::Sender<Answer>>>>>;

#[derive(Debug, Clone)]
pub(crate) struct Socket(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    writer: tokio::sync::Mutex<FramedWrite<OwnedWriteHalf, LinesCodec>>,
    pending: Pending,
    next_id: AtomicI64,
}

impl Socket {
    pub(crate) async fn call(&self, method: &str, params: Value) -> Answer {
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let registered = self
            .0
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
            .map(|map| map.insert(id, reply));
        registered.ok_or_else(gone)?;
        let frame = rpc::call(id, method, &params).to_string();
        self.0.writer.lock().await.send(frame).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Opens a connection of its own for a stream, so that a slow follower holds up no call.
    pub(crate) async fn open(&self, method: &str, params: Value) -> Result<Frames, Error> {
        let (mut frames, _) = dial(&self.0.path).await?;
        let frame = rpc::call(1, method, &params).to_string();
        frames.0.send(frame).await.map_err(|_| gone())?;
        let answer = frames.next().await?.ok_or_else(gone)?;
        match answer.error {
            Some(error) => Err(error),
            None => Ok(frames),
        }
    }
}

fn deliver(pending: &Pending, line: &str) {
    let Ok(frame) = serde_json::from_str::<FromDaemon>(line) else {
        tracing::warn!("a line from the daemon is no JSON-RPC frame");
        return;
    };
    let Some(Id::Number(id)) = frame.id else { return };
    let waiting = pending
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .as_mut()
        .and_then(|map| map.remove(&id));
    if let Some(reply) = waiting {
        let answer = match (frame.error, frame.result) {
            (Some(error), _) => Err(error),
            (None, Some(result)) => Ok(result),
            (None, None) => Ok(RawValue::NULL.to_owned()),
        };
        let _ = reply.send(answer); // whoever asked may have gone
    }
}

/// A connection that is read frame by frame.
#[derive(Debug)]
pub(crate) struct Frames(Framed<UnixStream, LinesCodec>);

impl Frames {
    pub(crate) async fn next(&mut self) -> Result<Option<FromDaemon>, Error> {
        match self.0.next().await {
            None | Some(Err(LinesCodecError::Io(_))) => Ok(None),
            Some(Ok(line)) => serde_json::from_str(&line).map(Some).map_err(|error| {
                Error::new(
                    ErrorKind::VersionMismatch,
                    format!("a frame of the daemon could not be read: {error}"),
                )
            }),
            Some(Err(LinesCodecError::MaxLineLengthExceeded)) => Err(Error::new(
                ErrorKind::VersionMismatch,
                format!("the daemon sent a frame of over {MAX_FRAME} bytes"),
            )),
        }
    }
}
