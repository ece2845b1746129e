//! Reading what a held pane prints into its log, no faster than a manager can follow.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use orchflow_runtime::CancellationToken;
use rustix::io::Errno;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::sync::{oneshot, watch};

use super::{State, Taken};
use crate::Stream;
use crate::log::LogWriter;

/// How long a terminal that something else still holds open must be quiet, after the end
/// of the process, to count as read: the kernel hands over what was printed to a terminal
/// a little later than it was printed.
const QUIET: Duration = Duration::from_millis(100);
/// How long it may go on instead of being quiet, once it was seen empty.
const LONGEST: Duration = Duration::from_secs(2);
/// More than the kernel holds back of one stream: past this, all that the process itself
/// printed is read.
const KERNEL_HOLDS: u64 = 1024 * 1024;
const BUFFER: usize = 64 * 1024;
/// How far a manager may be behind before the process has to wait for it; never more than
/// half of what the log keeps, so that a screen misses no byte.
const AHEAD: u64 = 8 * 1024 * 1024;

/// The reader of one stream of a held pane.
pub(super) struct Drain {
    fd: Arc<AsyncFd<OwnedFd>>,
    log: LogWriter,
    pane: Arc<State>,
    stop: CancellationToken,
    /// How far a manager took this stream, where it is waited for.
    taken: Option<watch::Receiver<Taken>>,
    total: u64,
}

impl Drain {
    pub(super) fn new(
        fd: Arc<AsyncFd<OwnedFd>>,
        log: LogWriter,
        stream: Stream,
        pane: Arc<State>,
        stop: CancellationToken,
    ) -> Self {
        // Only screens have to see everything.
        let screen = stream == Stream::Output && pane.spec.tty;
        let taken = screen.then(|| pane.taken.subscribe());
        Self { fd, log, pane, stop, taken, total: 0 }
    }

    /// Reads to the end of the stream, or until told to stop. `settled` is dropped as soon
    /// as all that the process itself printed is read.
    pub(super) async fn run(mut self, settled: oneshot::Sender<()>) -> Result<(), io::Error> {
        let fd = Arc::clone(&self.fd);
        let (mut exit, stop) = (self.pane.process.clone(), self.stop.clone());
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                // Before the output: what goes on printing must not hide the end.
                _ = exit.wait() => break,
                ready = self.ready(&fd) => {
                    match self.turn(Some(ready?)) {
                        Outcome::End if self.pane.spec.tty => break,
                        Outcome::End => return Ok(()),
                        Outcome::Empty | Outcome::More => {}
                    }
                }
            }
        }
        // A process may close its terminal and open it again; what it printed then is
        // read at its end.
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = exit.wait() => {}
        }
        if self.settle(&fd).await? == Outcome::End {
            return Ok(());
        }
        drop(settled);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                ready = self.ready(&fd) => {
                    if self.turn(Some(ready?)) == Outcome::End { return Ok(()) }
                }
            }
        }
    }

    /// Reads what the process left in the stream, which others may hold open and fill.
    async fn settle(&mut self, fd: &AsyncFd<OwnedFd>) -> io::Result<Outcome> {
        let (stop, tty) = (self.stop.clone(), self.pane.spec.tty);
        let longest = tokio::time::sleep(LONGEST);
        tokio::pin!(longest);
        let before = self.total;
        let mut outcome = self.turn(None);
        let mut emptied = outcome == Outcome::Empty;
        loop {
            // A pipe seen empty after the end of the process holds nothing of it any more.
            let done = emptied && !tty || self.total - before > KERNEL_HOLDS;
            if done || outcome == Outcome::End {
                return Ok(outcome);
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(Outcome::End),
                () = self.room() => {}
            }
            outcome = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(Outcome::End),
                () = &mut longest, if emptied => return Ok(outcome),
                ready = fd.readable() => self.turn(Some(ready?)),
                () = tokio::time::sleep(QUIET) => return Ok(outcome),
            };
            emptied |= outcome == Outcome::Empty;
        }
    }

    /// Waits until there is something to read, and room for it.
    async fn ready<'f>(
        &self,
        fd: &'f AsyncFd<OwnedFd>,
    ) -> io::Result<AsyncFdReadyGuard<'f, OwnedFd>> {
        self.room().await;
        fd.readable().await
    }

    /// Waits while a manager is too far behind.
    async fn room(&self) {
        let Some(mut taken) = self.taken.clone() else { return };
        let ahead = AHEAD.min(self.pane.spec.bounds.tail / 2);
        let near = |taken: &Taken| !taken.attached || self.total <= taken.offset + ahead;
        let _ = taken.wait_for(near).await;
    }

    /// Reads for a while, so that other panes have their turn, too.
    fn turn(&mut self, ready: Option<AsyncFdReadyGuard<'_, OwnedFd>>) -> Outcome {
        let outcome = self.read();
        if let Some(mut ready) = ready.filter(|_| outcome == Outcome::Empty) {
            if ready.ready().is_read_closed() {
                // It would stay ready, and empty, for ever.
                return Outcome::End;
            }
            ready.clear_ready();
        }
        outcome
    }

    /// Fills a buffer and writes it to the log. A terminal hands over 4 KiB at a time: many
    /// reads share one write.
    fn read(&mut self) -> Outcome {
        let mut bytes = Vec::with_capacity(BUFFER);
        let outcome = loop {
            if bytes.len() == bytes.capacity() {
                break Outcome::More;
            }
            match rustix::io::read(&*self.fd, rustix::buffer::spare_capacity(&mut bytes)) {
                Ok(0) => break Outcome::End,
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break Outcome::Empty,
                // A terminal that nothing holds open any more says EIO instead of an end.
                Err(Errno::IO) => break Outcome::End,
                Err(error) => {
                    tracing::error!(pane = %self.pane.id, %error, "output can no longer be read");
                    break Outcome::End;
                }
            }
        };
        self.total += bytes.len() as u64;
        self.log.append(&bytes);
        outcome
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// There is nothing more for now.
    Empty,
    /// There may be more.
    More,
    /// There will never be more.
    End,
}
