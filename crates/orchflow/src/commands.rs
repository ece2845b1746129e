//! The commands, a file each: argv in, calls of the daemon's methods, the answer told.

pub(crate) mod agents;
pub(crate) mod attention;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod exec;
pub(crate) mod home;
pub(crate) mod logs;
pub(crate) mod muxd;
pub(crate) mod pane;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod route;
pub(crate) mod rpc;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod status;
pub(crate) mod task;
pub(crate) mod trust;
pub(crate) mod up;
