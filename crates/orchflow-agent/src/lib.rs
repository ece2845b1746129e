//! Floor 3: coding agents behind one trait, the router and the planner by rules.
