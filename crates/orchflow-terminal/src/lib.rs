//! Floor 2: terminals: native panes, the output log, the screen model.
//!
//! A pane is a process behind a terminal or behind three pipes. Every byte it prints
//! goes to its log first and to its screen second; whoever watches it reads the log from
//! an offset, so that nobody who is slow can hold it up. What this crate deliberately is
//! not: it names no client of the daemon and no database, and it remembers no pane after
//! its process but for the log on disk ([`LogReader::open`]).
//!
//! Processes and their terminals are held by [`muxd`], which outlives the manager.
//!
//! Start reading at [`Muxd::spawn`](muxd::Muxd::spawn), then [`Pane`].

pub mod ansi;
pub mod error;
pub mod log;
pub mod muxd;
pub mod pane;
pub mod screen;

pub use error::Error;
pub use log::{Bounds, Chunk, LogReader, Summary};
pub use muxd::Muxd;
pub use pane::{Pane, PaneEnd, PaneSpec, Stream};
pub use screen::{AlacrittyScreen, Screen};
