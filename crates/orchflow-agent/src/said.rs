//! said.
