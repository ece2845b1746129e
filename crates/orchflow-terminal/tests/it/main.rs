//! Panes with real shells behind real terminals and pipes.

mod bed;
mod ends;
mod idle;
mod logs;
mod screens;
mod streams;
