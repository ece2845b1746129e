//! Floor 1: the contract. Each method is a type; every face of orchflow comes from them.
//!
//! [`table::TABLE`] lists the methods; a method says its name, access, order key, params
//! and result ([`method::Method`]). [`rpc`] holds the JSON-RPC 2.0 frames around them.
//! What this crate deliberately is not: it has no transport, no async and no state.
//!
//! Start reading at [`method`], then any noun, such as [`task`].

pub mod agent;
pub mod attention;
pub mod config;
pub mod discover;
pub mod error;
pub mod events;
pub mod git;
pub mod method;
pub mod pane;
pub mod policy;
pub mod project;
pub mod rpc;
pub mod run;
pub mod stream;
pub mod system;
pub mod table;
pub mod task;
pub mod test;
pub mod trust;

pub use error::Error;
pub use method::{Access, Method};
pub use system::VERSION;
