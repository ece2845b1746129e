//! Floor 5: doors, authentication, one dispatch table, back-pressure.
//!
//! A [`Table`] holds a row for each method; every door (the Unix socket, HTTP with SSE
//! and WebSocket, the endpoint within one process) authenticates a [`Caller`] and hands
//! calls to it. What this crate deliberately is not: it knows no noun. What a method does
//! stands in the manager and the orchestrator, and handlers there see no frame and no
//! socket.
//!
//! Start reading at [`table`], then [`unix`] for the simplest door.

pub mod caller;
mod connection;
pub mod dispatch;
mod ending;
mod error;
pub mod events;
mod follow;
pub mod http;
pub mod streams;
pub mod table;
mod tally;
pub mod token;
mod turns;
pub mod unix;

pub use caller::{Caller, serve_endpoint};
pub use error::Error;
pub use table::{Handler, Rows, Table};
pub use token::Tokens;
