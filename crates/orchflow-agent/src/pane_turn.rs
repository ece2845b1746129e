//! pane_turn.
