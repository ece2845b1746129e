//! Crash points: named instants at which a test may kill the process as power loss would.
//!
//! `crash_point!("store.before_commit")` does nothing in a release build. In a debug
//! build it sends SIGKILL to its own process when `ORCHFLOW_CRASH=NAME` (or `NAME:N`,
//! the N-th time it is reached) is set. Every point is listed in [`POINTS`]; `cargo
//! xtask tidy` holds the list and the code together.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Every crash point of the code base.
pub const POINTS: &[&str] = &[
    // Around the one commit of a batch, and between the steps of one migration.
    "store.before_commit",
    "store.after_commit",
    "store.after_migration_step",
    // Around the commit of a command of a run, and after an action was performed.
    "run.before_commit",
    "run.after_commit",
    "action.performed",
    // Around a turn of an architect.
    "plan.before_turn",
    "plan.after_turn",
    // Around a turn of an agent, and after its work was committed on the leaf's branch.
    "execute.before_turn",
    "execute.after_turn",
    "execute.after_commit",
    // After a leaf's turns were folded into its one commit.
    "commit.after",
    // Around the effects on the repository.
    "merge.before",
    "merge.after",
    "land.before",
    "land.after",
    "clean.before",
    "clean.after",
];

/// Marks an instant at which the process may be killed by a test.
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {
        if cfg!(debug_assertions) {
            $crate::crash::reached($name);
        }
    };
}

/// Called by [`crash_point!`]; kills the process when this point is the armed one.
pub fn reached(name: &str) {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let armed =
        ARMED.get_or_init(|| crate::env::var("ORCHFLOW_CRASH").map(|text| Armed::parse(&text)));
    if let Some(armed) = armed
        && armed.name == name
        && armed.left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        let me = rustix::process::getpid();
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
}

struct Armed {
    name: String,
    left: AtomicU32,
}

impl Armed {
    fn parse(text: &str) -> Self {
        let (name, nth) = text.rsplit_once(':').unwrap_or((text, "1"));
        Self { name: name.to_owned(), left: AtomicU32::new(nth.parse().unwrap_or(1)) }
    }
}
