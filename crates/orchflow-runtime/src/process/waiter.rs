//! The one place that reaps: a thread that sleeps in the kernel until a child ends.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};

use orchflow_types::pane::ExitStatus;
use rustix::process::{WaitId, WaitIdOptions, WaitOptions};
use tokio::sync::watch;

static CHILDREN: Mutex<Option<HashMap<u32, watch::Sender<Option<ExitStatus>>>>> = Mutex::new(None);
static BORN: Condvar = Condvar::new();

/// How a child ends; cheap to clone, answers every clone.
#[derive(Debug, Clone)]
pub struct Exit(watch::Receiver<Option<ExitStatus>>);

impl Exit {
    /// Waits for the end of the child.
    pub async fn wait(&mut self) -> ExitStatus {
        match self.0.wait_for(Option::is_some).await {
            Ok(status) => status.unwrap_or(LOST),
            Err(_) => LOST,
        }
    }

    /// The same without holding the child.
    pub(super) fn clone_wait(&self) -> impl Future<Output = ExitStatus> + use<> {
        let mut exit = self.clone();
        async move { exit.wait().await }
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn now(&self) -> Option<ExitStatus> {
        *self.0.borrow()
    }
}

// Only seen when the waiter itself is gone, which ends the process as well.
const LOST: ExitStatus = ExitStatus { code: 255, signal: None };

/// Held while a child is born, so that its end cannot be seen before it is known.
pub(super) struct Birth(
    MutexGuard<'static, Option<HashMap<u32, watch::Sender<Option<ExitStatus>>>>>,
);

pub(super) fn birth() -> Birth {
    start();
    Birth(CHILDREN.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Birth {
    pub(super) fn register(&mut self, pid: u32) -> Exit {
        let (sender, receiver) = watch::channel(None);
        self.0.get_or_insert_default().insert(pid, sender);
        BORN.notify_one();
        Exit(receiver)
    }
}

pub(super) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let waiter = std::thread::Builder::new().name("waiter".into()).spawn(wait_for_children);
        waiter.expect("a process that can start children can start one thread");
    });
}

fn wait_for_children() {
    loop {
        // Peeks first: reaping before the lock would steal a child from its own birth.
        match rustix::process::waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Ok(_) => reap(),
            Err(rustix::io::Errno::CHILD) => wait_for_birth(),
            Err(_) => {} // a signal came between
        }
    }
}

fn reap() {
    let mut children = CHILDREN.lock().unwrap_or_else(PoisonError::into_inner);
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        let known =
            children.get_or_insert_default().remove(&pid.as_raw_nonzero().get().unsigned_abs());
        if let Some(sender) = known {
            let signal = status.terminating_signal();
            let code = status.exit_status().unwrap_or_else(|| 128 + signal.unwrap_or(0));
            sender.send_replace(Some(ExitStatus { code, signal }));
        }
    }
}

fn wait_for_birth() {
    let mut children = CHILDREN.lock().unwrap_or_else(PoisonError::into_inner);
    // A subreaper may adopt without a birth, but only from a descendant that was born here.
    while children.get_or_insert_default().is_empty() {
        children = BORN.wait(children).unwrap_or_else(PoisonError::into_inner);
    }
}
