//! Manifests: every library that is taken in has its reason beside it.

use super::tree::File;
use super::{Fault, Tree};

/// Each dependency of each crate, but for our own, carries a comment that says why.
pub(super) fn reasons(tree: &Tree) -> Vec<Fault> {
    let manifests = tree.files.iter().filter(|file| file.path.ends_with("Cargo.toml"));
    // The root only settles versions; reasons stand with the crate that asked.
    manifests.filter(|file| file.path.iter().count() > 1).flat_map(faults_of).collect()
}

fn faults_of(file: &File) -> Vec<Fault> {
    let mut section = Section::Other;
    let mut depth = 0_i32;
    let mut faults = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let text = line.trim();
        if depth == 0 && text.starts_with('[') {
            section = Section::of(text);
            if let Section::One(name) = &section
                && !is_ours(name)
                && !has_reason(text)
            {
                faults.push(fault(file, index + 1, name));
            }
            continue;
        }
        let before = text.split_once('#').map_or(text, |(before, _)| before);
        let starts_entry = depth == 0 && before.contains('=');
        if let Section::Table = section
            && starts_entry
        {
            let name = before.split(['=', '.']).next().unwrap_or_default().trim();
            if !is_ours(name) && !has_reason(text) {
                faults.push(fault(file, index + 1, name));
            }
        }
        depth += balance(before);
    }
    faults
}

enum Section {
    /// `[dependencies]` and its kin: an entry a line.
    Table,
    /// `[dependencies.NAME]`.
    One(String),
    Other,
}

impl Section {
    fn of(header: &str) -> Self {
        let inside = header.trim_start_matches('[').split(']').next().unwrap_or_default();
        let last = inside.rsplit('.').next().unwrap_or_default();
        if last.ends_with("dependencies") {
            return Self::Table;
        }
        match inside.rsplit_once('.') {
            Some((table, name)) if table.ends_with("dependencies") => Self::One(name.to_owned()),
            _ => Self::Other,
        }
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with("orchflow-")
}

fn has_reason(line: &str) -> bool {
    line.split_once('#').is_some_and(|(_, reason)| !reason.trim().is_empty())
}

fn balance(text: &str) -> i32 {
    let step = |c| match c {
        '{' | '[' => 1,
        '}' | ']' => -1,
        _ => 0,
    };
    text.chars().map(step).sum()
}

fn fault(file: &File, line: usize, name: &str) -> Fault {
    let what = format!("nothing says why `{name}` is needed");
    Fault::new(&file.path, line, what, "End the line with `# what it is needed for`.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let tree = Tree::of(&[("crates/x/Cargo.toml", text)]);
        reasons(&tree).into_iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn a_dependency_without_a_reason_is_found_in_every_kind_of_section() {
        let text = "[package]\nname = \"x\"\n\n[dependencies]\norchflow-types.workspace = true\n\
                    serde.workspace = true # wire\ntoml.workspace = true\n[dev-dependencies]\n\
                    insta = \"1\" #\n[target.'cfg(unix)'.dependencies]\nlibc = \"1\"\n\
                    [build-dependencies.cc]\nversion = \"1\"\n";
        assert_eq!(lines(text), [7, 9, 11, 12]);
    }

    #[test]
    fn the_lines_of_one_long_entry_are_one_entry() {
        let text = "[dependencies]\nrustix = { version = \"1\", features = [ # system calls\n    \
                    \"fs\",\n] }\n[features]\ndefault = []\n";
        assert!(lines(text).is_empty());
    }

    #[test]
    fn the_root_manifest_only_settles_versions() {
        let tree = Tree::of(&[("Cargo.toml", "[workspace.dependencies]\nserde = \"1\"\n")]);
        assert_eq!(reasons(&tree), []);
    }
}
