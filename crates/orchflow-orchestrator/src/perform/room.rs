//! The wait for room, after a step found none.

use std::time::Duration;

use orchflow_workflow::{Command, Outcome};

use super::Job;

/// The first wait; each is twice as long as the one before it.
const FIRST: Duration = Duration::from_secs(15);
/// The longest wait.
const MOST: Duration = Duration::from_secs(300);

/// Waits a while. Whether there is room again is known by trying alone: what was full may be
/// a disk, a quota or the inodes of either. None when nobody waits for it any more.
pub(super) async fn wait(job: &Job, waits: u32) -> Option<Command> {
    tokio::select! {
        () = job.cancel.cancelled() => None,
        () = tokio::time::sleep(pause(waits)) => Some(job.done(Outcome::Waited)),
    }
}

fn pause(waits: u32) -> Duration {
    FIRST.saturating_mul(2_u32.saturating_pow(waits)).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_as_long_as_the_last_up_to_a_limit() {
        let seconds: Vec<u64> = [0, 1, 2, 9, u32::MAX].map(|n| pause(n).as_secs()).to_vec();
        assert_eq!(seconds, [15, 30, 60, 300, 300]);
    }
}
