//! Adapters at work, against a small manager that runs real processes.

mod claude_code;
mod command;
mod limits;
mod manager;
mod tool;
