//! What keeps a pane's screen: it reads the log behind the process, and answers for the
//! terminal.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use orchflow_runtime::process;
use orchflow_types::PaneId;
use tokio::sync::watch;

use super::{PaneEnd, Stream};
use crate::muxd::{End, Follow, Link, ToHolder, locked};
use crate::{AlacrittyScreen, LogReader, Screen};

/// What is read at once.
const READ: usize = 256 * 1024;
/// What goes to the screen while others wait to look at it.
const PIECE: usize = 16 * 1024;

/// The task of one pane.
pub(super) struct View {
    pub(super) pane: PaneId,
    pub(super) link: Link,
    pub(super) follow: Follow,
    pub(super) log: LogReader,
    pub(super) screen: Option<Arc<Mutex<AlacrittyScreen>>>,
    /// What was printed before this byte was answered by a manager that is gone.
    pub(super) answered: u64,
    pub(super) ended: watch::Sender<Option<PaneEnd>>,
    /// Its process and its mark, for when the holder goes away.
    pub(super) left: (u32, u64, String),
}

impl View {
    pub(super) async fn run(self) -> Result<(), Infallible> {
        let mut end = self.follow.end();
        let mut at = 0;
        let ended = loop {
            let now = *end.borrow_and_update();
            let until = match now {
                Some(End::Seen(ended)) => ended.output,
                Some(End::Lost | End::Parted) => self.log.len(),
                None => u64::MAX,
            };
            if let Some(end) = now.filter(|_| self.screen.is_none() || at >= until) {
                break end;
            }
            tokio::select! {
                biased;
                more = self.log.wait_beyond(at), if self.screen.is_some() && at < until => {
                    if more { at = self.show(at).await } else { at = until }
                }
                changed = end.changed() => if changed.is_err() { return Ok(()) },
            }
        };
        self.tell(ended).await;
        // What it left running may go on painting.
        while self.screen.is_some() && self.log.wait_beyond(at).await {
            at = self.show(at).await;
        }
        Ok(())
    }

    async fn tell(&self, end: End) {
        let told = match end {
            End::Seen(ended) => {
                PaneEnd { status: Some(ended.status), output: ended.output, errors: ended.errors }
            }
            End::Parted => self.unseen(),
            End::Lost => {
                // Its terminal is gone with the holder; it may not have noticed.
                let (pid, start_time, mark) = self.left.clone();
                let sweep = move || {
                    process::kill_group(pid, start_time, process::Signal::KILL);
                    process::sweep(&mark)
                };
                let _ = tokio::task::spawn_blocking(sweep).await;
                self.unseen()
            }
        };
        self.ended.send_replace(Some(told));
    }

    fn unseen(&self) -> PaneEnd {
        let errors = self.follow.log(Stream::Errors).borrow().len;
        PaneEnd { status: None, output: self.log.len(), errors }
    }

    /// Paints what lies at `at`, answers what it asks, and says how far it came.
    async fn show(&self, at: u64) -> u64 {
        let Some(screen) = &self.screen else { return at };
        let (mut at, bytes) = match self.log.read(at, READ) {
            Ok(chunk) => (chunk.offset, chunk.bytes),
            Err(error) => {
                tracing::error!(pane = %self.pane, %error, "the screen misses output");
                (self.log.len(), Vec::new())
            }
        };
        let mut replies = Vec::new();
        for piece in bytes.chunks(PIECE) {
            replies.extend(self.paint(screen, at, piece));
            at += piece.len() as u64;
            // Painting is work: others of this thread have their turn in between.
            tokio::task::yield_now().await;
        }
        if !replies.is_empty()
            && let Err(error) = self.link.write(self.pane, replies).await
        {
            tracing::debug!(pane = %self.pane, %error, "an answer of the terminal is dropped");
        }
        // After the answer: a manager that dies between the two is the lesser evil when it
        // answers twice than when a program waits for ever.
        self.link
            .say(&ToHolder::Taken { pane: self.pane, stream: Stream::Output, offset: at })
            .await;
        at
    }

    /// Paints bytes from `at` on, each in the size that counted when it was printed.
    fn paint(&self, screen: &Mutex<AlacrittyScreen>, mut at: u64, mut bytes: &[u8]) -> Vec<u8> {
        let mut screen = locked(screen);
        let mut sizes = self.follow.sizes();
        let mut replies = Vec::new();
        loop {
            while let Some((_, size)) = sizes.front().filter(|(from, _)| *from <= at).copied() {
                screen.resize(size);
                sizes.pop_front();
            }
            if bytes.is_empty() {
                return replies;
            }
            let here = sizes.front().map_or(u64::MAX, |(from, _)| from - at);
            let (now, later) =
                bytes.split_at(usize::try_from(here).unwrap_or(usize::MAX).min(bytes.len()));
            feed(&mut screen, now);
            let said = screen.replies();
            at += now.len() as u64;
            if at > self.answered {
                replies.extend(said);
            }
            bytes = later;
        }
    }
}

/// A fault of the screen model costs the picture, not the pane.
fn feed(screen: &mut AlacrittyScreen, bytes: &[u8]) {
    let size = screen.size();
    if catch_unwind(AssertUnwindSafe(|| screen.feed(bytes))).is_err() {
        tracing::error!("the screen model failed; it begins anew");
        *screen = AlacrittyScreen::new(size);
    }
}
