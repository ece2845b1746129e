//! The input of a held pane: a bounded queue and the task that empties it into the process.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use orchflow_runtime::CancellationToken;
use orchflow_types::PaneId;
use rustix::termios::{LocalModes, SpecialCodeIndex};
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;

use super::locked;
use crate::Error;

/// What may wait for a process that does not read; a single longer write may, too, when
/// nothing else waits.
const BOUND: usize = 1024 * 1024;
const PIECE: usize = 16 * 1024;

/// Bytes on their way to a process.
#[derive(Debug)]
pub(super) struct Input {
    pane: PaneId,
    state: Mutex<State>,
    changed: Notify,
    over: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<u8>,
    last: Option<u8>,
    // No more may be queued; what waits is still written.
    closing: bool,
    // Nothing is written any more.
    closed: bool,
}

impl Input {
    pub(super) fn new(pane: PaneId) -> Self {
        Self {
            pane,
            state: Mutex::default(),
            changed: Notify::new(),
            over: CancellationToken::new(),
        }
    }

    /// Queues all of `bytes` or none.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut state = locked(&self.state);
        if state.closing || state.closed {
            return Err(Error::InputClosed { pane: self.pane });
        }
        let waiting = state.waiting.len();
        if waiting > 0 && waiting + bytes.len() > BOUND {
            return Err(Error::Overloaded { pane: self.pane, waiting });
        }
        state.waiting.extend(bytes);
        state.last = bytes.last().copied().or(state.last);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Closes the pipe after what waits.
    pub(super) fn close(&self) -> Result<(), Error> {
        let mut state = locked(&self.state);
        if state.closed && !state.closing {
            return Err(Error::InputClosed { pane: self.pane });
        }
        state.closing = true;
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Queues the end-of-file character of a terminal. In the middle of a line the first
    /// one only hands over the line, so that it takes two (termios(3), VEOF).
    pub(super) fn end_of_file(&self, master: &AsyncFd<OwnedFd>) -> Result<(), Error> {
        const EOT: u8 = 4;
        let modes = rustix::termios::tcgetattr(master.get_ref()).ok();
        let lines =
            modes.as_ref().is_some_and(|modes| modes.local_modes.contains(LocalModes::ICANON));
        let eof = modes.map_or(EOT, |modes| modes.special_codes[SpecialCodeIndex::VEOF]);
        let last = locked(&self.state).last;
        let at_start = last.is_none_or(|byte| byte == b'\n' || byte == b'\r' || byte == eof);
        if lines && !at_start { self.write(&[eof, eof]) } else { self.write(&[eof]) }
    }

    /// Lets go of what waits and takes nothing more.
    pub(super) fn shut(&self) {
        let mut state = locked(&self.state);
        state.closed = true;
        state.waiting = VecDeque::new();
        drop(state);
        self.over.cancel();
    }

    /// Empties the queue into `fd` until it is closed. The descriptor is let go then.
    pub(super) async fn run(self: Arc<Self>, fd: Arc<AsyncFd<OwnedFd>>) -> Result<(), io::Error> {
        while let Some(piece) = self.next().await {
            let written = tokio::select! {
                () = self.over.cancelled() => break,
                written = write_some(&fd, &piece) => written,
            };
            match written {
                Ok(count) => self.written(count),
                Err(error) => {
                    // The process closed its input, or ended; that is its right.
                    tracing::debug!(pane = %self.pane, %error, "input is no longer read");
                    break;
                }
            }
        }
        self.shut();
        Ok(())
    }

    async fn next(&self) -> Option<Vec<u8>> {
        loop {
            {
                let state = locked(&self.state);
                if state.closed || (state.closing && state.waiting.is_empty()) {
                    return None;
                }
                if !state.waiting.is_empty() {
                    return Some(state.waiting.iter().take(PIECE).copied().collect());
                }
            }
            tokio::select! {
                () = self.over.cancelled() => return None,
                () = self.changed.notified() => {}
            }
        }
    }

    fn written(&self, count: usize) {
        let mut state = locked(&self.state);
        let count = count.min(state.waiting.len());
        state.waiting.drain(..count);
        if state.waiting.is_empty() {
            state.waiting.shrink_to(PIECE);
        }
    }
}

async fn write_some(fd: &AsyncFd<OwnedFd>, bytes: &[u8]) -> io::Result<usize> {
    loop {
        let mut ready = fd.writable().await?;
        let hung_up = ready.ready().is_write_closed();
        match ready.try_io(|fd| Ok(rustix::io::write(fd, bytes)?)) {
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(result) => return result,
            // Nothing reads a terminal that was hung up, and it stays ready to say so.
            Err(_would_block) if hung_up => return Err(io::ErrorKind::BrokenPipe.into()),
            Err(_would_block) => {}
        }
    }
}
