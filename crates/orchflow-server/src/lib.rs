//! Floor 5: doors, authentication, one dispatch table, back-pressure.
