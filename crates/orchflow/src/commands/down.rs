//! `orchflow down`: ends the daemon and waits until it is gone.

use std::os::fd::OwnedFd;
use std::time::Duration;

use orchflow_protocol::method::Empty;
use orchflow_protocol::system;
use orchflow_types::ErrorKind;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::connect;
use crate::context::Context;
use crate::stop::Ended;

/// How long the daemon may take to park what is under way.
const LIMIT: Duration = Duration::from_secs(60);

/// How long its process may take to end, once it has given up its lock.
const LAST: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// Does it.
pub(crate) async fn run(cx: &Context) -> Ended {
    let Some((client, _)) = connect::running(&cx.places).await? else {
        cx.out.result(&Empty {}, |out, _| out.talk("no daemon runs"));
        return Ok(());
    };
    let process = handle(client.call::<system::Info>(Empty {}).await?.pid);
    match client.call::<system::Shutdown>(Empty {}).await {
        // It may be gone before its answer is.
        Err(error) if error.kind() != ErrorKind::Unavailable => return Err(error.into()),
        _ => {}
    }
    connect::gone(&cx.places, LIMIT).await?;
    if let Some(process) = process {
        let end = move || poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&LAST));
        let _ = tokio::task::spawn_blocking(end).await; // its lock is free, which is what counts
    }
    cx.out.result(&Empty {}, |out, _| out.talk("the daemon has ended"));
    Ok(())
}

/// A handle that stays with this process, whoever gets its pid later.
fn handle(pid: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}
