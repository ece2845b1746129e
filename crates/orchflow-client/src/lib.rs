//! Floor 2: typed calls and event streams over any transport; the Rust SDK.
