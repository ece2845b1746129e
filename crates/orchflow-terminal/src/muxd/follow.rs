//! What a manager hears of one pane from the holder.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use orchflow_types::pane::Size;
use tokio::sync::watch;

use super::locked;
use super::wire::{Ended, Trouble};
use crate::log::Progress;
use crate::{Bounds, Stream};

/// What is known of a pane. Cheap to clone; clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Follow(Arc<Known>);

#[derive(Debug)]
struct Known {
    output: watch::Sender<Progress>,
    errors: watch::Sender<Progress>,
    ended: watch::Sender<Option<End>>,
    /// Sizes that count from a byte of the output on, and are not shown yet.
    sizes: Mutex<VecDeque<(u64, Size)>>,
}

/// How a pane ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Its process ended.
    Seen(Ended),
    /// Its holder went away, and how it ended nobody saw.
    Lost,
    /// It goes on, as another manager's.
    Parted,
}

impl Default for Known {
    fn default() -> Self {
        let empty = || watch::Sender::new(Progress::new(Bounds::default()));
        Self {
            output: empty(),
            errors: empty(),
            ended: watch::Sender::new(None),
            sizes: Mutex::default(),
        }
    }
}

impl Follow {
    pub(super) fn bound(&self, bounds: Bounds) {
        for log in [&self.0.output, &self.0.errors] {
            log.send_modify(|progress| progress.bounds = bounds);
        }
    }

    pub(super) fn grown(&self, stream: Stream, len: u64, ended: bool, trouble: Trouble) {
        self.log(stream).send_modify(|progress| {
            progress.len = len;
            progress.ended = ended;
            progress.lost = trouble.lost;
            progress.failing = trouble.failing.map(Arc::from);
        });
    }

    pub(super) fn ended(&self, ended: Ended) {
        self.0.ended.send_replace(Some(End::Seen(ended)));
    }

    pub(super) fn resized(&self, from: u64, size: Size) {
        self.sizes().push_back((from, size));
    }

    /// Nothing more will be heard of it: it is lost, or it is another manager's.
    pub(super) fn lose(&self, end: End) {
        for log in [&self.0.output, &self.0.errors] {
            log.send_modify(|progress| progress.ended = true);
        }
        self.0.ended.send_if_modified(|ended| ended.is_none() && ended.replace(end).is_none());
    }

    pub(crate) fn log(&self, stream: Stream) -> &watch::Sender<Progress> {
        match stream {
            Stream::Output => &self.0.output,
            Stream::Errors => &self.0.errors,
        }
    }

    pub(crate) fn end(&self) -> watch::Receiver<Option<End>> {
        self.0.ended.subscribe()
    }

    pub(crate) fn sizes(&self) -> MutexGuard<'_, VecDeque<(u64, Size)>> {
        locked(&self.0.sizes)
    }
}
