//! Real repositories, real git, real folders.

mod canary;
mod fixture;
mod kill;
mod land;
mod merge;
mod project;
mod repo;
mod snapshot;
mod trust;
mod worktree;
