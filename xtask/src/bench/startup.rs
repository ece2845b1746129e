//! Starting: from nothing to a daemon that answers, and one question to a running one.

use super::Setup;
use super::daemon::Daemon;
use super::measure::{Row, Subject, paired, timed};
use super::tmux::Tmux;

const COLD: Subject = Subject {
    what: "cold start until it answers (`up`; `new-session -d`)",
    unit: "ms",
    peer: "tmux",
    goal: "< 50 ms",
};

const ASK: Subject = Subject {
    what: "one question to a running daemon (`status`; `ls`)",
    unit: "ms",
    peer: "tmux",
    goal: "< 10 ms",
};

/// Both rows. Every cold start has a home, or a socket, of its own.
pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let cold_ours = || {
        let daemon = Daemon::new(&setup.binary)?;
        let took = timed(|| daemon.up())?;
        daemon.down()?;
        Ok(took)
    };
    let cold_peer = || {
        let tmux = Tmux::new()?;
        timed(|| tmux.new_session())
    };
    let (ours, peer) = paired(setup.rounds, cold_ours, cold_peer)?;
    let cold = COLD.row(ours, peer);

    let daemon = Daemon::new(&setup.binary)?;
    daemon.up()?;
    let tmux = Tmux::new()?;
    tmux.new_session()?;
    let (ours, peer) =
        paired(setup.rounds, || timed(|| daemon.status()), || timed(|| tmux.list()))?;
    Ok(vec![cold, ASK.row(ours, peer)])
}
