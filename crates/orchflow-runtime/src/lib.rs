//! Floor 1: the one home of the clock, ids, randomness, environment, processes and supervised tasks.
