//! Reading what a pane prints: into the log first, onto the screen second.

use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orchflow_runtime::CancellationToken;
use orchflow_runtime::process::Exit;
use rustix::io::Errno;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::sync::oneshot;

use super::{State, locked};
use crate::log::LogWriter;
use crate::{AlacrittyScreen, Screen};

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
const READS_PER_TURN: usize = 16;
/// What goes to the screen while others wait to look at it.
const SCREEN_PIECE: usize = 16 * 1024;

/// The reader of one stream of a pane.
pub(crate) struct Drain {
    fd: Arc<AsyncFd<OwnedFd>>,
    exit: Exit,
    stop: CancellationToken,
    // None only while a turn has it.
    pump: Option<Pump>,
    tty: bool,
}

impl Drain {
    pub(crate) fn new(
        fd: Arc<AsyncFd<OwnedFd>>,
        log: LogWriter,
        pane: Arc<State>,
        stop: CancellationToken,
    ) -> Self {
        let (exit, tty) = (pane.process.clone(), pane.screen.is_some());
        let buffer = Vec::with_capacity(BUFFER);
        Self { fd, exit, stop, pump: Some(Pump { log, pane, buffer, total: 0 }), tty }
    }

    /// Reads to the end of the stream, or until told to stop. `settled` is dropped as soon
    /// as all that the process itself printed is read.
    pub(crate) async fn run(mut self, settled: oneshot::Sender<()>) -> Result<(), io::Error> {
        let fd = Arc::clone(&self.fd);
        let (mut exit, stop) = (self.exit.clone(), self.stop.clone());
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                // Before the output: what goes on printing must not hide the end.
                _ = exit.wait() => break,
                ready = fd.readable() => {
                    match self.turn(Some(ready?)).await? {
                        Outcome::End if self.tty => break,
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
                ready = fd.readable() => {
                    if self.turn(Some(ready?)).await? == Outcome::End { return Ok(()) }
                }
            }
        }
    }

    // Reads what the process left in the stream, which others may hold open and fill.
    async fn settle(&mut self, fd: &AsyncFd<OwnedFd>) -> io::Result<Outcome> {
        let stop = self.stop.clone();
        let longest = tokio::time::sleep(LONGEST);
        tokio::pin!(longest);
        let before = self.total();
        let mut outcome = self.turn(None).await?;
        let mut emptied = outcome == Outcome::Empty;
        loop {
            // A pipe seen empty after the end of the process holds nothing of it any more.
            let done = emptied && !self.tty || self.total() - before > KERNEL_HOLDS;
            if done || outcome == Outcome::End {
                return Ok(outcome);
            }
            outcome = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(Outcome::End),
                () = &mut longest, if emptied => return Ok(outcome),
                ready = fd.readable() => self.turn(Some(ready?)).await?,
                () = tokio::time::sleep(QUIET) => return Ok(outcome),
            };
            emptied |= outcome == Outcome::Empty;
        }
    }

    // One turn on a thread that may wait: for the disk, for the screen.
    async fn turn(&mut self, ready: Option<AsyncFdReadyGuard<'_, OwnedFd>>) -> io::Result<Outcome> {
        let Some(mut pump) = self.pump.take() else { return Ok(Outcome::End) };
        let fd = Arc::clone(&self.fd);
        let work = move || (pump.turn(fd.get_ref()), pump);
        let (outcome, pump) = tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
        self.pump = Some(pump);
        if let Some(mut ready) = ready.filter(|_| outcome == Outcome::Empty) {
            if ready.ready().is_read_closed() {
                // It would stay ready, and empty, for ever.
                return Ok(Outcome::End);
            }
            // Forgets only the readiness that was there before the turn.
            ready.clear_ready();
        }
        Ok(outcome)
    }

    fn total(&self) -> u64 {
        self.pump.as_ref().map_or(0, |pump| pump.total)
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

struct Pump {
    log: LogWriter,
    pane: Arc<State>,
    buffer: Vec<u8>,
    total: u64,
}

impl Pump {
    fn turn(&mut self, fd: &OwnedFd) -> Outcome {
        for _ in 0..READS_PER_TURN {
            self.buffer.clear();
            match rustix::io::read(fd, rustix::buffer::spare_capacity(&mut self.buffer)) {
                Ok(0) => return Outcome::End,
                Ok(count) => self.take(count),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Outcome::Empty,
                // A terminal that nothing holds open any more says EIO instead of an end.
                Err(Errno::IO) => return Outcome::End,
                Err(error) => {
                    tracing::error!(pane = %self.pane.id, %error, "output can no longer be read");
                    return Outcome::End;
                }
            }
        }
        Outcome::More
    }

    fn take(&mut self, count: usize) {
        self.total += count as u64;
        self.log.append(&self.buffer);
        let Some(screen) = &self.pane.screen else { return };
        for piece in self.buffer.chunks(SCREEN_PIECE) {
            let replies = show(screen, piece);
            if !replies.is_empty()
                && let Err(error) = self.pane.input.write(&replies)
            {
                tracing::debug!(pane = %self.pane.id, %error, "an answer of the terminal is dropped");
            }
        }
    }
}

// A fault of the screen model costs the picture, not the pane.
fn show(screen: &Mutex<AlacrittyScreen>, bytes: &[u8]) -> Vec<u8> {
    let mut screen = locked(screen);
    let size = screen.size();
    if catch_unwind(AssertUnwindSafe(|| screen.feed(bytes))).is_err() {
        tracing::error!("the screen model failed; it begins anew");
        *screen = AlacrittyScreen::new(size);
    }
    screen.replies()
}
