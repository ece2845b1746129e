//! Idling: what a daemon with nothing to do costs, and what its binary weighs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use super::Setup;
use super::daemon::Daemon;
use super::measure::{Goal, Row, Subject};
use super::tmux::Tmux;

const WINDOW: Duration = Duration::from_secs(10);
/// What a daemon still does right after its start is not idling.
const SETTLE: Duration = Duration::from_secs(2);

/// The rows; the first two from one window in which both daemons idle side by side.
pub(super) fn run(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let daemon = Daemon::new(&setup.binary)?;
    daemon.up()?;
    let tmux = Tmux::new()?;
    tmux.new_session()?;
    let (ours, peer) = (daemon.pid()?, tmux.pid()?);

    // Doing nothing is what is measured here, so this waits for time and not for a condition.
    idle_for(SETTLE);
    let before = (switches(ours)?, switches(peer)?);
    idle_for(WINDOW);
    let after = (switches(ours)?, switches(peer)?);

    let switched = |before: &Counts, after: &Counts| vec![grown(before, after)];
    let switches = Subject::new(
        "wakeups of all threads in 10 idle seconds",
        "switches",
        "tmux",
        Goal::AtMost(0.0),
    );
    let memory = Subject::new("resident memory when idle", "MB", "tmux", Goal::AtMost(20.0));
    Ok(vec![
        switches.row(switched(&before.0, &after.0), switched(&before.1, &after.1)),
        memory.row(vec![resident_mb(ours)?], vec![resident_mb(peer)?]),
        size(setup)?,
    ])
}

fn size(setup: &Setup) -> anyhow::Result<Row> {
    let bytes = u32::try_from(setup.binary.metadata()?.len()).context("the binary is huge")?;
    let subject = Subject::alone("size of the stripped binary", "MB", Goal::AtMost(20.0));
    Ok(subject.row(vec![f64::from(bytes) / 1e6], Vec::new()))
}

#[allow(clippy::disallowed_methods, reason = "the passing of idle time is the thing measured")]
fn idle_for(time: Duration) {
    std::thread::sleep(time);
}

/// Context switches so far, by thread.
type Counts = BTreeMap<PathBuf, u32>;

fn switches(pid: u32) -> anyhow::Result<Counts> {
    let mut counts = Counts::new();
    let tasks = PathBuf::from(format!("/proc/{pid}/task"));
    let threads = tasks.read_dir().with_context(|| format!("process {pid} is gone"))?;
    for thread in threads {
        let path = thread?.path();
        // A thread may end between the listing and the reading.
        if let Ok(status) = std::fs::read_to_string(path.join("status")) {
            counts.insert(path, count_switches(&status));
        }
    }
    Ok(counts)
}

fn count_switches(status: &str) -> u32 {
    let lines = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
    lines.filter_map(|(_, count)| count.trim().parse::<u32>().ok()).sum()
}

fn grown(before: &Counts, after: &Counts) -> f64 {
    let of_thread = |(thread, count): (&PathBuf, &u32)| {
        f64::from(count.saturating_sub(before.get(thread).copied().unwrap_or(0)))
    };
    after.iter().map(of_thread).sum()
}

fn resident_mb(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("process {pid} is gone"))?;
    let kib = field(&status, "VmRSS:").context("/proc tells no VmRSS")?;
    Ok(f64::from(kib) / 1024.0)
}

fn field(status: &str, name: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_of_both_kinds_are_summed() {
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t5\n";
        assert_eq!(count_switches(status), 12);
        assert_eq!(field("VmRSS:\t  2048 kB\n", "VmRSS:"), Some(2048));
    }

    #[test]
    fn our_own_numbers_can_be_read() {
        let own = std::process::id();
        assert!(!switches(own).unwrap().is_empty());
        assert!(resident_mb(own).unwrap() > 0.5);
    }

    #[test]
    fn a_thread_that_was_born_in_between_counts_from_nothing() {
        let counts = |rows: &[(&str, u32)]| {
            rows.iter().map(|(name, count)| (PathBuf::from(name), *count)).collect::<Counts>()
        };
        let grown = grown(&counts(&[("1", 10)]), &counts(&[("1", 14), ("2", 3)]));
        assert!((grown - 7.0).abs() < 1e-9);
    }
}
