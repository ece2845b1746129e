//! Floor 2: SQLite: rows, migrations, journal, actions, the event log; the only SQL.
//!
//! One writer thread commits what is queued as one transaction (many closures, one
//! fsync); a small pool of read-only connections reads snapshots. Each noun has a file
//! of typed functions: those that write take a [`Tx`], those that read a [`Reader`],
//! and a [`Tx`] is a [`Reader`] too.
//!
//! What it deliberately is not: it decides nothing. It has no clock (moments are given
//! to it), it mints no ids, it does not know what a status means or when a run is over.
//!
//! Start reading at [`Store`], then [`events`] for how a commit becomes news.

pub mod actions;
pub mod attention;
mod backup;
mod check;
mod column;
mod error;
pub mod events;
mod job;
pub mod journal;
pub mod meta;
mod migrate;
mod open;
pub mod panes;
pub mod policies;
mod readers;
pub mod runs;
mod schema;
mod store;
pub mod tasks;
pub mod trust;
mod tx;
mod writer;

pub use check::Health;
pub use error::{Error, Trouble};
pub use job::Receipt;
pub use open::{Opened, Options};
pub use schema::Parts;
pub use store::{Stats, Store};
pub use tx::{Reader, Tx};
