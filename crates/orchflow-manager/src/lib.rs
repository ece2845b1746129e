//! Floor 4: the manager's nouns: panes, git, projects, trust.
