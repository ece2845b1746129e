//! Following a run to its end: the live tree on a terminal, plain lines elsewhere, events
//! with `--json`; asking the person what only a person may answer.
//!
//! Events only say that something changed; what is shown is always read whole, so that a
//! daemon that was restarted in between changes nothing here.

mod changes;
mod last_line;
mod questions;
mod screen;
mod showing;
mod tails;
pub(crate) mod view;

use std::collections::BTreeSet;
use std::time::Duration;

use orchflow_client::{Client, Error};
use orchflow_protocol::events::{self, Filter, SubscribeParams};
use orchflow_protocol::run::{Cancel, CancelParams, Get, Report, RunParams};
use orchflow_runtime::Clock;
use orchflow_types::run::{Run, RunStatus};
use orchflow_types::{AttentionId, Cursor, ErrorKind, Event, EventType, RunId};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::context::Context;
use crate::stop::{Ended, INTERRUPTED, Stop};
use crate::{connect, report};

use last_line::last_line;
use screen::Screen;
use showing::Showing;
use view::View;

/// The least time between two looks at the run, and so between two frames.
const FRAME: Duration = Duration::from_millis(100);

/// How often a daemon may vanish, without one event in between, before this gives up.
const PATIENCE: u32 = 5;

/// Follows a run from `before` (a cursor taken before it began) to its end, and ends as it did.
///
/// # Errors
/// 1 when it did not succeed, 130 when it was cancelled here, 4 when it waits for an
/// approval that nobody here can give.
pub(crate) async fn follow(cx: &Context, client: Client, run_id: RunId, before: Cursor) -> Ended {
    let mut follower = Follower::new(cx, client, run_id, before)?;
    loop {
        match follower.watch().await {
            Ok(Watched::Ended) => return follower.finish().await,
            Ok(Watched::Lost) => follower.reconnect().await?,
            Err(Stop::Error(error)) if error.kind() == ErrorKind::Unavailable => {
                follower.reconnect().await?;
            }
            Err(stop) => {
                follower.screen.leave();
                return Err(stop);
            }
        }
    }
}

enum Watched {
    Ended,
    Lost,
}

struct Follower<'a> {
    cx: &'a Context,
    client: Client,
    run_id: RunId,
    cursor: Cursor,
    run: Option<Run>,
    /// Whether something happened since the last look.
    stale: bool,
    /// Whether a question may have been raised since the last look.
    asked_for: bool,
    told: BTreeSet<AttentionId>,
    cancelled: bool,
    last_event: Option<Event>,
    lost: u32,
    interrupts: Signal,
    showing: Showing,
    screen: Screen,
}

impl<'a> Follower<'a> {
    fn new(cx: &'a Context, client: Client, run_id: RunId, cursor: Cursor) -> Result<Self, Stop> {
        Ok(Self {
            cx,
            client,
            run_id,
            cursor,
            run: None,
            stale: true,
            asked_for: true,
            told: BTreeSet::new(),
            cancelled: false,
            last_event: None,
            lost: 0,
            interrupts: interrupts()?,
            showing: Showing::new(),
            screen: Screen::new(cx.out),
        })
    }

    async fn watch(&mut self) -> Result<Watched, Stop> {
        let filter = Filter { types: Vec::new(), about: Some(self.run_id.to_string()) };
        let params = SubscribeParams { after: Some(self.cursor), filter, batch_ms: 20 };
        let mut events = self.client.events(params).await?;
        self.stale = true;
        let mut frames = tokio::time::interval(FRAME);
        frames.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.next() => match event? {
                    Some(event) => self.take(event),
                    None => return Ok(Watched::Lost),
                },
                (pane, line) = self.showing.tails.next() => {
                    self.showing.lines.insert(pane, line);
                }
                _ = frames.tick() => {
                    if self.look().await? {
                        return Ok(Watched::Ended);
                    }
                }
                _ = self.interrupts.recv() => self.interrupt().await?,
            }
        }
    }

    fn take(&mut self, event: Event) {
        self.cursor = event.cursor;
        self.stale = true;
        self.lost = 0;
        self.asked_for |= event.kind == EventType::AttentionRaised;
        let last = event.kind == EventType::RunFinished && event.about == self.run_id.to_string();
        if last {
            self.last_event = Some(event);
        } else if self.cx.out.json() {
            self.cx.out.value(&event, false);
        }
    }

    /// Reads the run when something happened, shows it, asks what is to be asked. Answers
    /// whether it has ended.
    async fn look(&mut self) -> Result<bool, Stop> {
        if self.stale {
            self.stale = false;
            let now = self.client.call::<Get>(RunParams { run_id: self.run_id }).await?;
            self.tell(&now);
            let status = now.status;
            self.run = Some(now);
            if status.is_final() {
                self.draw();
                return self.told_whole().await;
            }
            self.ask(status).await?;
        }
        if !self.stale {
            self.draw(); // an answer made what is known old
        }
        Ok(false)
    }

    /// Whether the last event was seen, where events are what is told.
    async fn told_whole(&mut self) -> Result<bool, Stop> {
        if !self.cx.out.json() || self.last_event.is_some() {
            return Ok(true);
        }
        let about = Some(self.run_id.to_string());
        let filter = Filter { types: vec![EventType::RunFinished], about };
        let params = events::ListParams { after: self.cursor, filter, limit: Some(1) };
        // A run that had ended before this began to follow has no more events to come.
        Ok(self.client.call::<events::List>(params).await?.events.is_empty())
    }

    fn tell(&mut self, now: &Run) {
        let out = self.cx.out;
        if out.json() {
            return;
        }
        if out.live() {
            // The exact commands stand above the tree before they run; a question shows them whole.
            let new = self.run.as_ref().is_none_or(|before| before.plan.is_none());
            let asked = now.status == RunStatus::AwaitingApproval && out.can_ask();
            if new && now.plan.is_some() && !asked {
                self.screen.clear();
                changes::plan(now).into_iter().for_each(|line| out.talk(line));
            }
            self.showing.follow(&self.client, now);
        } else {
            changes::changes(self.run.as_ref(), now).into_iter().for_each(|line| out.talk(line));
        }
    }

    fn draw(&mut self) {
        let (Some(run), true) = (&self.run, self.cx.out.live()) else { return };
        let until = run.finished_at.unwrap_or_else(|| Clock::system().now());
        let view = View {
            run: Some(run),
            tails: self.showing.lines.clone(),
            worked: self.showing.worked(),
            elapsed: Some(until.millis_since(run.created_at)),
        };
        let (columns, rows) = self.screen.size();
        // The last column stays free: writing into it wraps on some terminals.
        let lines = view.lines(columns.saturating_sub(1), rows, self.cx.out.talk_color());
        self.screen.draw(lines);
    }

    async fn ask(&mut self, status: RunStatus) -> Result<(), Stop> {
        let Some(run) = self.run.clone() else { return Ok(()) };
        if status == RunStatus::AwaitingApproval && !self.cancelled {
            self.screen.clear();
            let asked = questions::approval(self.cx, &self.client, &run).await;
            self.after_question(asked).await?;
        }
        if std::mem::take(&mut self.asked_for) && !self.cancelled {
            let screen = &mut self.screen;
            let asked = questions::open(self.cx, &self.client, self.run_id, &mut self.told, || {
                screen.clear();
            });
            let asked = asked.await;
            self.after_question(asked).await?;
        }
        Ok(())
    }

    /// Ctrl-C at a question is Ctrl-C at the run.
    async fn after_question(&mut self, asked: Ended) -> Ended {
        self.stale = true;
        match asked {
            Err(Stop::Code(INTERRUPTED)) => {
                self.interrupts = interrupts()?; // the old one has seen this Ctrl-C, too
                self.interrupt().await
            }
            other => other,
        }
    }

    async fn interrupt(&mut self) -> Ended {
        self.screen.leave();
        let out = self.cx.out;
        if self.cancelled {
            out.talk("the run is being cancelled without this command");
            return Err(Stop::Code(INTERRUPTED));
        }
        self.cancelled = true;
        if out.live() {
            out.talk(""); // the terminal has put `^C` there
        }
        out.talk(format_args!(
            "cancelling {} (`orchflow run --detach` starts a run that goes on by itself)",
            self.run_id
        ));
        let reason = "cancelled at the terminal".to_owned();
        let done = self.client.call::<Cancel>(CancelParams { run_id: self.run_id, reason }).await;
        match done {
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn reconnect(&mut self) -> Ended {
        self.screen.leave();
        self.showing.tails.forget();
        self.lost += 1;
        if self.lost > PATIENCE {
            let text = "the daemon ended again and again";
            return Err(Stop::new(ErrorKind::Unavailable, text)
                .hint("`orchflow logs` says why; `orchflow run --resume` takes the run up again"));
        }
        self.cx.out.talk("the daemon has gone; starting it again");
        (self.client, _) = connect::daemon(&self.cx.places, None).await?;
        Ok(())
    }

    async fn finish(mut self) -> Ended {
        let Some(run) = self.run.take() else { return Ok(()) };
        let out = self.cx.out;
        self.screen.leave();
        if out.json() {
            out.value(&last_line(self.last_event.as_ref(), &run), false);
        } else {
            let told = self.client.call::<Report>(RunParams { run_id: run.run_id }).await?;
            out.talk("");
            report::markdown(out, &told.markdown);
            if out.live() && run.status != RunStatus::Succeeded {
                out.line("");
                changes::verdict(&run).into_iter().for_each(|line| out.line(line));
            }
        }
        match run.status {
            _ if self.cancelled => Err(Stop::Code(INTERRUPTED)),
            RunStatus::Succeeded => Ok(()),
            _ => Err(Stop::Code(ErrorKind::RunNotGreen.exit_code())),
        }
    }
}

fn interrupts() -> Result<Signal, Stop> {
    signal(SignalKind::interrupt())
        .map_err(|error| Error::new(ErrorKind::Unavailable, format!("no signals: {error}")).into())
}

#[cfg(test)]
mod tests;
