//! `stream.*`: a pane's output from an offset to its end, read from its log chunk by chunk.
//!
//! As with events there is nothing to drop: each stream reads the log from its own
//! offset, and a client that does not read makes only its own stream wait.

use std::fmt;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use orchflow_client::Notification;
use orchflow_protocol::Error;
use orchflow_protocol::method::Empty;
use orchflow_protocol::pane::Output;
use orchflow_protocol::stream::{Close, CloseParams, Open, OpenParams, OpenResult, PaneOutput};
use orchflow_types::PaneId;

use crate::Rows;
use crate::follow::{Feed, Follower, Gone, required};

/// The most bytes of one `pane.output` notification.
const CHUNK: usize = 64 * 1024;

/// Where the outputs of panes are read: the manager's side of `stream.open`.
pub trait PaneOutputs: Send + Sync + 'static {
    /// Opens one output of a pane, of one that has ended as well.
    ///
    /// # Errors
    /// `pane_not_found`, or what else keeps the output from being read.
    fn open(
        &self,
        pane_id: PaneId,
        output: Output,
    ) -> BoxFuture<'_, Result<Box<dyn PaneReader>, Error>>;
}

/// One output of a pane.
pub trait PaneReader: Send + Sync {
    /// At most `max` bytes from offset `from`, or from the first byte after it that is
    /// still kept; empty at the end of what there is so far.
    ///
    /// # Errors
    /// When the output cannot be read.
    fn read(&self, from: u64, max: usize) -> BoxFuture<'_, Result<Chunk, Error>>;

    /// Waits until there are bytes at `offset` or after it; false when the output has
    /// ended without them.
    fn wait_beyond(&self, offset: u64) -> BoxFuture<'_, bool>;
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The offset of its first byte.
    pub offset: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Bytes that were let go between the offset asked for and `offset`.
    pub skipped: u64,
}

impl fmt::Debug for dyn PaneReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaneReader")
    }
}

impl<S: Clone + Send + Sync + 'static> Rows<S> {
    /// Adds the rows of `stream.*`, over the outputs of panes.
    #[must_use]
    pub fn streams(self, outputs: Arc<dyn PaneOutputs>) -> Self {
        self.row::<Open>(move |params, follower| open(outputs.clone(), params, follower).boxed())
            .row::<Close>(|params: CloseParams, follower| {
            let closed = required(follower).and_then(|own| own.close("stream", params.stream_id));
            std::future::ready(closed.map(|()| Empty {})).boxed()
        })
    }
}

async fn open(
    outputs: Arc<dyn PaneOutputs>,
    params: OpenParams,
    follower: Option<Follower>,
) -> Result<OpenResult, Error> {
    let follower = required(follower)?;
    let reader = outputs.open(params.pane_id, params.output).await?;
    let (pane_id, from) = (params.pane_id, params.from);
    let stream_id = follower.start("stream", |feed| send_all(reader, pane_id, from, feed))?;
    Ok(OpenResult { stream_id })
}

async fn send_all(
    reader: Box<dyn PaneReader>,
    pane_id: PaneId,
    mut from: u64,
    feed: Feed,
) -> Result<(), Gone> {
    loop {
        let more = reader.wait_beyond(from).await;
        let chunk = match reader.read(from, CHUNK).await {
            Ok(chunk) => chunk,
            Err(error) => {
                // The stream ends without its `end`: the client asks again from its offset.
                tracing::warn!(%error, %pane_id, "a pane's output could not be read");
                return Ok(());
            }
        };
        let next = chunk.offset + chunk.bytes.len() as u64;
        let end = !more && chunk.bytes.is_empty();
        if end || next > from {
            let Chunk { offset, bytes, skipped } = chunk;
            let stream_id = feed.name;
            let output = PaneOutput { stream_id, pane_id, offset, bytes, skipped, end };
            feed.send(Notification::Output(output)).await?;
        }
        if end {
            return Ok(());
        }
        from = next;
    }
}
