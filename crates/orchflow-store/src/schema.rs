//! The tables, as numbered steps in sets; what a step made is never edited afterwards.

/// Which sets of tables a file holds. The base (meta, events) is in every file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parts {
    /// Manager and orchestrator share the file, as in embedded mode.
    #[default]
    Both,
    /// The manager's own file.
    Manager,
    /// The orchestrator's own file.
    Orchestrator,
}

/// One set of tables: step N brings it from version N-1 to N.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) steps: &'static [&'static str],
}

const BASE: Part = Part { name: "base", steps: &[include_str!("schema/base_1.sql")] };
const MANAGER: Part = Part { name: "manager", steps: &[include_str!("schema/manager_1.sql")] };
const ORCHESTRATOR: Part = Part {
    name: "orchestrator",
    steps: &[include_str!("schema/orchestrator_1.sql"), include_str!("schema/orchestrator_2.sql")],
};

/// Every set this build knows.
pub(crate) const KNOWN: &[Part] = &[BASE, MANAGER, ORCHESTRATOR];

impl Parts {
    /// The sets a file with these parts must have, in the order they are made.
    pub(crate) const fn wanted(self) -> &'static [Part] {
        match self {
            Self::Both => KNOWN,
            Self::Manager => &[BASE, MANAGER],
            Self::Orchestrator => &[BASE, ORCHESTRATOR],
        }
    }
}
