//! What an agent is told.

use crate::Turn;

/// The prompt of a turn.
#[must_use]
pub fn render(turn: &Turn) -> String {
    turn.goal.clone()
}
