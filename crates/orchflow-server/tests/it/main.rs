//! The doors, tried over real sockets: a table with a few methods of the protocol, served
//! by small handlers, and the real store behind the events.

#![allow(clippy::unwrap_used, reason = "what a test cannot do without may end it")]

mod access;
mod daemon;
mod ends;
mod events;
mod http;
mod json_rpc;
mod order;
mod streams;
mod unix;
