//! Panes with real shells behind real terminals and pipes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bed;
mod ends;
mod holder;
mod idle;
mod logs;
mod screens;
mod streams;
