//! The end of a process tree: politely, then not, then whatever had slipped away.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use super::{Exit, MARK};
use crate::clock::Stopwatch;

/// How long a killed process may take to be gone.
const LAST: Duration = Duration::from_secs(1);

/// The start time of a process in clock ticks since boot, from `/proc/PID/stat`
/// (proc(5), field 22); none when there is no such process.
#[must_use]
pub fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may itself hold any character.
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

/// Whether the process that had this pid and start time is still there (a zombie is not).
#[must_use]
pub fn is_alive(pid: u32, started: u64) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let Some((_, after_name)) = stat.rsplit_once(')') else { return false };
    let mut fields = after_name.split_whitespace();
    let state = fields.next();
    state != Some("Z") && state != Some("X") && fields.nth(18) == Some(&started.to_string())
}

/// Sends a signal to a process group, unless its leader's pid now belongs to another process.
pub fn kill_group(pid: u32, started: u64, signal: Signal) {
    if start_time(pid).is_some_and(|now| now != started) {
        return;
    }
    if let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

/// Ends a child and everything that came of it: TERM to its group, `grace` to obey, KILL
/// to its group, then [`sweep`] for what left the group.
pub async fn terminate(pid: u32, started: u64, exit: &mut Exit, mark: &str, grace: Duration) {
    if exit.now().is_none() {
        kill_group(pid, started, Signal::TERM);
        let _ = tokio::time::timeout(grace, exit.wait()).await;
    }
    kill_group(pid, started, Signal::KILL);
    let _ = tokio::time::timeout(Duration::from_secs(1), exit.wait()).await;
    if !mark.is_empty() {
        let mark = mark.to_owned();
        let _ = tokio::task::spawn_blocking(move || sweep(&mark)).await;
    }
}

/// Kills every process of this user whose [`MARK`] begins with `prefix`; answers how many.
///
/// What is born while it looks is found by looking again, until a pass finds nothing.
pub fn sweep(prefix: &str) -> usize {
    sweep_but(prefix, &[])
}

/// The same, but for processes whose mark is one of `keep`.
pub fn sweep_but(prefix: &str, keep: &[String]) -> usize {
    const PASSES: usize = 20; // a fork bomb outruns any number; an honest tree needs two
    let mut killed = 0;
    for _ in 0..PASSES {
        let found = marked(prefix, keep);
        if found.is_empty() {
            break;
        }
        // A killed process is gone a moment later; who asks for its end gets just that.
        let handles: Vec<_> =
            found.iter().map(|pid| pidfd_open(*pid, PidfdFlags::empty())).collect();
        killed += found.iter().filter(|pid| kill_process(**pid, Signal::KILL).is_ok()).count();
        handles.into_iter().flatten().for_each(|handle| wait_for_end(&handle, LAST));
    }
    killed
}

/// The same, but each is told to end first and has `grace` for it: for programs that clean up
/// behind themselves when they are told, as git takes its lock files away. Blocks.
pub fn sweep_politely(prefix: &str, grace: Duration) {
    let told = marked(prefix, &[]).into_iter().filter_map(|pid| {
        // The handle first: what it names cannot become another process.
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        pidfd_send_signal(&handle, Signal::TERM).is_ok().then_some(handle)
    });
    let told: Vec<_> = told.collect();
    let watch = Stopwatch::start();
    told.iter().for_each(|handle| wait_for_end(handle, grace.saturating_sub(watch.elapsed())));
    sweep(prefix);
}

/// Waits until a process has ended, but not for long: one may hang in the kernel.
fn wait_for_end(process: &OwnedFd, patience: Duration) {
    let patience = Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: patience.subsec_nanos().into(),
    };
    let _ = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&patience)); // over either way
}

fn marked(prefix: &str, keep: &[String]) -> Vec<Pid> {
    let me = rustix::process::getpid();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(|pid| *pid != me && carries(*pid, prefix, keep))
        .collect()
}

fn carries(pid: Pid, prefix: &str, keep: &[String]) -> bool {
    let Ok(environ) = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())) else {
        return false;
    };
    let name = format!("{MARK}=");
    let mut marks = environ
        .split(|byte| *byte == 0)
        .filter_map(|entry| std::str::from_utf8(entry.strip_prefix(name.as_bytes())?).ok());
    marks.any(|mark| mark.starts_with(prefix) && !keep.iter().any(|kept| kept == mark))
}
