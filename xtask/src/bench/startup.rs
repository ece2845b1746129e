//! Starting: from nothing to a daemon that answers, and one question to a running one.

use super::Setup;
use super::daemon::Daemon;
use super::measure::{Goal, Row, Subject, paired, timed};
use super::tmux::Tmux;

/// Both rows. Every start has a socket of its own; our database is there already.
pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let cold = Subject::new(
        "cold start until it answers (`up`; `new-session -d`)",
        "ms",
        "tmux",
        Goal::RatioAtMost(1.0),
    );
    let ask = Subject::new(
        "one question to a running daemon (`status`; `ls`)",
        "ms",
        "tmux",
        Goal::RatioAtMost(1.5),
    );
    let daemon = Daemon::new(&setup.binary)?;
    daemon.up()?;
    daemon.down()?;
    let cold_ours = || {
        let took = timed(|| daemon.up())?;
        daemon.down()?;
        Ok(took)
    };
    let cold_peer = || {
        let tmux = Tmux::new()?;
        timed(|| tmux.new_session())
    };
    let (ours, peer) = paired(setup.rounds, cold_ours, cold_peer)?;
    let cold = cold.row(ours, peer);

    daemon.up()?;
    let tmux = Tmux::new()?;
    tmux.new_session()?;
    let (ours, peer) =
        paired(setup.rounds, || timed(|| daemon.status()), || timed(|| tmux.list()))?;
    Ok(vec![cold, ask.row(ours, peer)])
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn both_sides_are_started_asked_and_ended_in_every_round() {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("orchflow");
        let calls = folder.path().join("calls");
        // A stand-in that only notes how it is called; the peer is the real one.
        let script = format!("#!/bin/sh\nprintf '%s ' \"$1\" >> '{}'\n", calls.display());
        std::fs::write(&binary, script).unwrap();
        std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();

        let rows = run(&Setup { binary, rounds: 2 }).unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.ours > 0.0, row.ratio.is_some())).collect();
        assert_eq!(told, [(true, true), (true, true)]);
        let calls = std::fs::read_to_string(calls).unwrap();
        assert_eq!(calls, "up down up down up down up status status down ");
    }
}
