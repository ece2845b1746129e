//! The method table: every method there is, once.

use schemars::{Schema, SchemaGenerator};

use crate::discover::{self, entry};
use crate::{
    Access, agent, attention, config, events, git, pane, policy, project, run, stream, system,
    task, test, trust,
};

/// What the table knows of a method.
#[derive(Debug)]
pub struct Entry {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// What a caller must be allowed to do.
    pub access: Access,
    /// The schema of its params.
    pub params: fn(&mut SchemaGenerator) -> Schema,
    /// The schema of its result.
    pub result: fn(&mut SchemaGenerator) -> Schema,
}

/// Every method, noun by noun.
pub const TABLE: &[Entry] = &[
    entry::<system::Info>(),
    entry::<system::Health>(),
    entry::<system::Doctor>(),
    entry::<system::Shutdown>(),
    entry::<discover::Discover>(),
    entry::<config::Get>(),
    entry::<config::Set>(),
    entry::<config::Show>(),
    entry::<project::Detect>(),
    entry::<trust::Get>(),
    entry::<trust::Grant>(),
    entry::<trust::Revoke>(),
    entry::<pane::Create>(),
    entry::<pane::List>(),
    entry::<pane::Info>(),
    entry::<pane::Write>(),
    entry::<pane::CloseStdin>(),
    entry::<pane::Read>(),
    entry::<pane::Resize>(),
    entry::<pane::Kill>(),
    entry::<stream::Open>(),
    entry::<stream::Close>(),
    entry::<test::Results>(),
    entry::<git::Status>(),
    entry::<git::Refs>(),
    entry::<git::Diff>(),
    entry::<git::Snapshot>(),
    entry::<git::Commit>(),
    entry::<git::WorktreeAdd>(),
    entry::<git::WorktreeReset>(),
    entry::<git::WorktreeList>(),
    entry::<git::WorktreeRemove>(),
    entry::<git::WorktreeRepair>(),
    entry::<git::SaveRef>(),
    entry::<git::Merge>(),
    entry::<git::Land>(),
    entry::<git::Rescue>(),
    entry::<agent::Types>(),
    entry::<agent::List>(),
    entry::<agent::Route>(),
    entry::<task::Create>(),
    entry::<task::Get>(),
    entry::<task::List>(),
    entry::<task::Tree>(),
    entry::<task::Update>(),
    entry::<task::Move>(),
    entry::<task::Delete>(),
    entry::<task::Start>(),
    entry::<task::Complete>(),
    entry::<task::Cancel>(),
    entry::<task::Export>(),
    entry::<task::Import>(),
    entry::<run::Start>(),
    entry::<run::MakePlan>(),
    entry::<run::Get>(),
    entry::<run::List>(),
    entry::<run::Approve>(),
    entry::<run::Reject>(),
    entry::<run::Pause>(),
    entry::<run::Resume>(),
    entry::<run::Cancel>(),
    entry::<run::Report>(),
    entry::<run::Rescue>(),
    entry::<policy::Check>(),
    entry::<attention::List>(),
    entry::<attention::Answer>(),
    entry::<events::Subscribe>(),
    entry::<events::Unsubscribe>(),
    entry::<events::List>(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_comes_twice_and_every_method_says_what_it_does() {
        let mut names: Vec<_> = TABLE.iter().map(|entry| entry.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        for entry in TABLE {
            assert!(entry.doc.trim().ends_with('.'), "{} has no sentence", entry.name);
            assert!(entry.name.split('.').count() == 2, "{}", entry.name);
        }
    }

    #[test]
    fn the_table_tells_itself_as_open_rpc_with_every_reference_resolved() {
        let document = discover::document();
        assert_eq!(document["methods"].as_array().map(Vec::len), Some(TABLE.len()));
        let text = document.to_string();
        for (at, found) in text.match_indices("\"$ref\":\"#/components/schemas/") {
            let rest = &text[at + found.len()..];
            let name = rest.split('"').next().unwrap_or_default();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name} is not defined");
        }
    }
}
