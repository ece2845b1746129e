//! The doors, tried over real sockets: a table with a few methods of the protocol, served
//! by small handlers, and the real store behind the events.

mod daemon;
mod ends;
mod events;
mod http;
mod json_rpc;
mod order;
mod streams;
mod unix;
