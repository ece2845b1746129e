//! Real repositories, real git, real folders.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be built fails its test")]

mod canary;
mod fixture;
mod keyed;
mod kill;
mod land;
mod merge;
mod project;
mod repo;
mod snapshot;
mod speed;
mod trust;
mod worktree;
