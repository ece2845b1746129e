//! For tests: a daemon of one's own, scripted agents, wait_until.
