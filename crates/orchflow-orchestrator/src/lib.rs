//! Floor 4: the orchestrator's nouns: runs, tasks, agents, attention, policies.
