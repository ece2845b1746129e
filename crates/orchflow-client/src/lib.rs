//! Floor 2: typed calls and event streams; the Rust SDK of orchflow.
//!
//! A [`Client`] calls any [`Method`](orchflow_protocol::Method) over any transport: in
//! one process, where typed values pass through a channel and nothing is serialised, or
//! over the daemon's Unix socket. What this crate deliberately is not: it starts no
//! daemon (the binary does) and it knows no method by name.
//!
//! Start reading at [`Client`].

mod call;
mod in_process;
mod socket;
mod streams;

pub use call::Client;
pub use in_process::{Call, Endpoint, Notification, NotificationSender, Payload, in_process};
pub use orchflow_protocol::Error;
pub use socket::connect;
pub use streams::{Events, Output};
