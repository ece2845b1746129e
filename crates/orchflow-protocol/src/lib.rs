//! Floor 1: each method as a type; JSON-RPC frames; no transport.
