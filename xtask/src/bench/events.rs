//! Events: how long after a call its event is at those who follow, and whether all of them
//! get all of it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::Setup;
use super::daemon::Daemon;
use super::measure::{Goal, Row, Subject, paired, timed};
use super::socket::Socket;

const FOLLOWERS: usize = 20;
/// Calls a round: one call says little beside the noise of a disk.
const CALLS: u32 = 10;
/// Tasks made one right after the other while all follow; each call waits for its answer.
const BURST: u32 = 1_000;

/// Three rows: one follower, twenty, and what twenty got of a burst.
pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let daemon = Daemon::new(&setup.binary)?;
    daemon.up()?;
    let socket = daemon.socket()?;
    let mut caller = Socket::connect(&socket)?;
    let bytes = commit_bytes(&daemon, &mut caller)?;
    let mut latency = |what: &str, followers: usize| -> anyhow::Result<Row> {
        let mut follow = Followers::open(&socket, followers)?;
        let mut file = File::create(daemon.home().join("bare"))?;
        let page = vec![7_u8; bytes];
        let bare = || timed(|| Ok(file.write_all(&page).and_then(|()| file.sync_data())?));
        let ours = || follow.latency(&mut caller);
        let (ours, peer) = paired(setup.rounds * CALLS, ours, bare)?;
        let goal = if followers == 1 { Goal::BeyondAtMost(1.0) } else { Goal::Told };
        Ok(Subject::new(what, "ms", "bare write and sync", goal).row(ours, peer))
    };
    let one = latency("from a call to its event at a socket client", 1)?;
    let all = latency("the same, until the last of 20 has it", FOLLOWERS)?;
    let missed = Followers::open(&socket, FOLLOWERS)?.missed(&mut caller)?;
    let burst = Subject::alone(
        "events that any of 20 followers missed, of 1000 in a burst",
        "events",
        Goal::AtMost(0.0),
    );
    Ok(vec![one, all, burst.row(vec![missed], Vec::new())])
}

/// What the commit of one call appends to the write-ahead log.
fn commit_bytes(daemon: &Daemon, caller: &mut Socket) -> anyhow::Result<usize> {
    let log = daemon.home().join("state.db-wal");
    let length = || Ok::<_, anyhow::Error>(log.metadata()?.len());
    make(caller)?;
    let before = length()?;
    make(caller)?;
    let grown = length()?.saturating_sub(before);
    ensure!(grown > 0, "a commit did not grow the write-ahead log");
    Ok(usize::try_from(grown)?)
}

fn make(caller: &mut Socket) -> anyhow::Result<String> {
    let task = caller.call("task.create", &json!({ "title": "measured" }))?;
    Ok(task["id"].as_str().context("a task has an id")?.to_owned())
}

/// Clients that follow everything, each on a thread and connection of its own.
struct Followers {
    heard: Receiver<(Instant, Vec<String>)>,
    count: usize,
}

impl Followers {
    fn open(socket: &Path, count: usize) -> anyhow::Result<Self> {
        let (sender, heard) = channel();
        for _ in 0..count {
            let mut follower = Socket::connect(socket)?;
            follower.call("events.subscribe", &json!({}))?;
            let sender = sender.clone();
            thread::spawn(move || listen(&mut follower, &sender));
        }
        Ok(Self { heard, count })
    }

    /// Milliseconds from sending a call until everyone has its event.
    fn latency(&mut self, caller: &mut Socket) -> anyhow::Result<f64> {
        let start = Instant::now();
        let task = make(caller)?;
        let mut last = start;
        for _ in 0..self.count {
            let (at, about) = self.heard.recv()?;
            ensure!(about == [task.as_str()], "{about:?} was heard in place of {task}");
            last = last.max(at);
        }
        Ok(last.duration_since(start).as_secs_f64() * 1000.0)
    }

    /// Events of a burst that did not come to everyone.
    fn missed(&mut self, caller: &mut Socket) -> anyhow::Result<f64> {
        for _ in 0..BURST {
            make(caller)?;
        }
        let wanted = u32::try_from(self.count)? * BURST;
        let mut got = 0;
        while got < wanted {
            // Who waits in vain has missed the rest.
            let Ok((_, about)) = self.heard.recv_timeout(std::time::Duration::from_secs(10)) else {
                break;
            };
            got += u32::try_from(about.len())?;
        }
        Ok(f64::from(wanted.saturating_sub(got)))
    }
}

/// Passes on what one follower hears until the connection ends.
fn listen(follower: &mut Socket, heard: &Sender<(Instant, Vec<String>)>) {
    while let Ok(line) = follower.line() {
        let at = Instant::now();
        let Ok(frame) = serde_json::from_str::<Value>(&line) else { return };
        let events = frame["params"]["events"].as_array().cloned().unwrap_or_default();
        let about = |event: &Value| event["about"].as_str().unwrap_or_default().to_owned();
        if heard.send((at, events.iter().map(about).collect())).is_err() {
            return;
        }
    }
}
