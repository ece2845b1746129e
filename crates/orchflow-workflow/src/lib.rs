//! Floor 1: the pure machine of a run: apply(state, command) gives state and actions.
