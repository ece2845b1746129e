//! Real children: how they are born, how they end, what is left of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod process;
