//! Floor 3: coding agents behind one trait, the router and the planner by rules.
//!
//! An [`Adapter`] takes one [`Turn`] in a pane that it asks a manager for, by
//! [`Client`](orchflow_client::Client), and answers one [`Outcome`]. The [`router`] and
//! the [`planner`] turn plain words into work, by rules alone. What this crate
//! deliberately is not: it decides on no retry, no order and no permission (the
//! orchestrator does), it opens no terminal by itself (the manager does), and it calls
//! no model.
//!
//! Start reading at [`Adapter`], then `pane_turn`, which every adapter goes through.

mod adapter;
mod claude_code;
mod command;
mod config;
mod pane_turn;
mod said;
mod text;
mod tool;
mod turn;

pub mod audit;
pub mod discover;
pub mod planner;
pub mod prompt;
pub mod router;

pub use adapter::{Adapter, Cx, Permission, Refused, Request, Watch, adapter};
pub use config::{AgentConfig, BadTemplate, Format, Mode};
pub use turn::{ANSWER_LIMIT, Failure, Limits, Outcome, Turn, Usage};
