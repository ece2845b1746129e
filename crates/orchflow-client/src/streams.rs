//! Streams: events from a cursor, bytes from an offset; each picks up where it stopped.

use std::collections::VecDeque;

use orchflow_protocol::events::{self, Batch, SubscribeParams, SubscribeResult};
use orchflow_protocol::stream::{self, OpenParams, OpenResult, PaneOutput};
use orchflow_protocol::{Error, Method};
use orchflow_types::Event;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use crate::call::{to_json, unreadable};
use crate::in_process::{InProcess, Notification, Payload};
use crate::socket::{Frames, Socket};

/// Batches that may wait in one process before the feeder waits.
const WAITING: usize = 64;

/// Events in order, none left out. Ends when the daemon does.
#[derive(Debug)]
pub struct Events {
    source: Source,
    ready: VecDeque<Event>,
}

#[derive(Debug)]
enum Source {
    Channel(mpsc::Receiver<Notification>),
    Frames(Box<Frames>),
}

impl Events {
    pub(crate) async fn in_process(
        channel: &InProcess,
        params: SubscribeParams,
    ) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let name = events::Subscribe::NAME;
        let reply = channel.call(name, Payload::Typed(Box::new(params)), Some(sender)).await?;
        reply.typed::<SubscribeResult>(name)?;
        Ok(Self { source: Source::Channel(receiver), ready: VecDeque::new() })
    }

    pub(crate) async fn over_socket(
        socket: &Socket,
        params: SubscribeParams,
    ) -> Result<Self, Error> {
        let frames = socket.open(events::Subscribe::NAME, to_json(&params)?).await?;
        Ok(Self { source: Source::Frames(Box::new(frames)), ready: VecDeque::new() })
    }

    /// The next event; none when the daemon is gone.
    ///
    /// # Errors
    /// When what the daemon sent could not be read.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        while self.ready.is_empty() {
            let batch: Option<Batch> = match &mut self.source {
                Source::Channel(receiver) => match receiver.recv().await {
                    Some(Notification::Events(batch)) => Some(batch),
                    Some(Notification::Output(_)) => continue,
                    None => None,
                },
                Source::Frames(frames) => next_named(frames, Batch::NAME).await?,
            };
            let Some(batch) = batch else { return Ok(None) };
            self.ready.extend(batch.events);
        }
        Ok(self.ready.pop_front())
    }
}

/// A pane's output in order. Ends with a chunk whose `end` is set, or when the daemon does.
#[derive(Debug)]
pub struct Output {
    source: Source,
}

impl Output {
    pub(crate) async fn in_process(channel: &InProcess, params: OpenParams) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let name = stream::Open::NAME;
        let reply = channel.call(name, Payload::Typed(Box::new(params)), Some(sender)).await?;
        reply.typed::<OpenResult>(name)?;
        Ok(Self { source: Source::Channel(receiver) })
    }

    pub(crate) async fn over_socket(socket: &Socket, params: OpenParams) -> Result<Self, Error> {
        let frames = socket.open(stream::Open::NAME, to_json(&params)?).await?;
        Ok(Self { source: Source::Frames(Box::new(frames)) })
    }

    /// The next chunk; none when the daemon is gone.
    ///
    /// # Errors
    /// When what the daemon sent could not be read.
    pub async fn next(&mut self) -> Result<Option<PaneOutput>, Error> {
        loop {
            match &mut self.source {
                Source::Channel(receiver) => match receiver.recv().await {
                    Some(Notification::Output(chunk)) => return Ok(Some(chunk)),
                    Some(Notification::Events(_)) => {}
                    None => return Ok(None),
                },
                Source::Frames(frames) => return next_named(frames, PaneOutput::NAME).await,
            }
        }
    }
}

async fn next_named<T: DeserializeOwned>(
    frames: &mut Frames,
    name: &str,
) -> Result<Option<T>, Error> {
    while let Some(frame) = frames.next().await? {
        if frame.method.as_deref() == Some(name)
            && let Some(params) = frame.params
        {
            return serde_json::from_str(params.get())
                .map(Some)
                .map_err(|error| unreadable(name, &error));
        }
    }
    Ok(None)
}
