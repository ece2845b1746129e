//! `muxd`: the small process that holds terminals, and the way to it.
//!
//! The processes of panes are children of the holder, and their terminals and logs are its
//! own. It knows nothing of screens, sessions or people. A manager connects to it, reads
//! the logs from the disk, and keeps the screens; it may be killed or replaced at any time,
//! and what comes next finds every pane where it stood.
//!
//! What the two say to each other is in `wire` and written down in `docs/muxd.md`; it is
//! frozen: a holder may run for months, and whatever manager comes must be understood.
//!
//! Start reading at [`serve`] for the holder, at [`Muxd`] for the manager's side.

mod follow;
mod held;
mod holder;
mod link;
mod session;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use follow::{End, Follow};
pub use holder::serve;
pub use link::{Found, Muxd, Options};
pub(crate) use link::{Link, unexpected};
pub(crate) use wire::{Answer, Call, ToHolder};

/// A lock; what a panic left behind it is used all the same.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
