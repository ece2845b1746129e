//! Sizes: of files and of crates. The length of functions is clippy's to hold.

use std::path::Path;

use super::{Fault, Tree};

/// Lines a file may have, its tests apart.
const FILE: usize = 800;
/// Lines the orchestrator may have: it is where everything would like to go.
const ORCHESTRATOR: usize = 15_000;
/// Lines any other crate may have.
const CRATE: usize = 20_000;

/// Files over the wall, each with the length it had when it was let through. The list
/// may only shrink: a file that got shorter lowers its number, one under the wall leaves.
const OFFENDERS: &[(&str, usize)] = &[];

/// No file is longer than the wall, or than it was when it was listed.
pub(super) fn files(tree: &Tree) -> Vec<Fault> {
    files_but(tree, OFFENDERS)
}

fn files_but(tree: &Tree, offenders: &[(&str, usize)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.rust().filter(|file| !file.is_test()) {
        let lines = file.lines_without_tests();
        let listed = offenders.iter().find(|(path, _)| file.path == Path::new(path));
        if lines > listed.map_or(FILE, |(_, length)| *length) {
            let what = format!("{lines} lines without tests; the wall is {FILE}");
            let mend = "Move a part that has a name of its own to a file of that name.";
            faults.push(Fault::new(&file.path, 1, what, mend));
        }
    }
    for (path, length) in offenders {
        let lines = tree.file(path).map_or(0, super::tree::File::lines_without_tests);
        if lines < *length {
            let what = format!("listed with {length} lines in OFFENDERS and has {lines}");
            let mend = format!(
                "Lower its number in xtask/src/tidy/sizes.rs to {lines}; take it out at {FILE} or \
                 less."
            );
            faults.push(Fault::new(path, 1, what, mend));
        }
    }
    faults
}

/// No crate is over its budget.
pub(super) fn crates(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for member in &tree.crates {
        let budget = if member.name == "orchflow-orchestrator" { ORCHESTRATOR } else { CRATE };
        let own = tree.rust().filter(|file| file.path.starts_with(member.dir.join("src")));
        let lines: usize =
            own.filter(|file| !file.is_test()).map(super::tree::File::lines_without_tests).sum();
        if lines > budget {
            let what = format!("{} has {lines} lines without tests, over {budget}", member.name);
            let mend = "What grew belongs a floor lower, or behind a border of its own.";
            faults.push(Fault::new(member.dir.join("Cargo.toml"), 1, what, mend));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree_with(lines: usize) -> Tree {
        Tree::of(&[("crates/orchflow-types/src/long.rs", &"// line\n".repeat(lines))])
    }

    #[test]
    fn a_file_of_801_lines_is_found_and_one_of_800_is_not() {
        assert_eq!(files_but(&tree_with(801), &[]).len(), 1);
        assert_eq!(files_but(&tree_with(800), &[]), []);
    }

    #[test]
    fn test_code_does_not_count() {
        let text = "// line\n".repeat(790) + "#[cfg(test)]\nmod tests {\n" + &"\n".repeat(50);
        let long = "\n".repeat(900);
        let tree = Tree::of(&[("a.rs", &text), ("crates/x/tests/it/all.rs", &long)]);
        assert_eq!(files_but(&tree, &[]), []);
    }

    #[test]
    fn a_listed_offender_may_neither_grow_nor_keep_a_number_it_outgrew() {
        let path = "crates/orchflow-types/src/long.rs";
        assert_eq!(files_but(&tree_with(900), &[(path, 900)]), []);
        assert_eq!(files_but(&tree_with(901), &[(path, 900)]).len(), 1);
        assert_eq!(files_but(&tree_with(850), &[(path, 900)]).len(), 1);
        assert_eq!(files_but(&Tree::default(), &[(path, 900)]).len(), 1);
    }

    #[test]
    fn a_crate_over_its_budget_is_found() {
        let text = "// line\n".repeat(ORCHESTRATOR + 1);
        let file = |name| format!("crates/{name}/src/lib.rs");
        let one = file("orchflow-orchestrator");
        let other = file("orchflow-store");
        let tree = Tree::of(&[(&one, &text), (&other, &text)])
            .with_crate("orchflow-orchestrator", &[])
            .with_crate("orchflow-store", &[]);
        let found = crates(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.starts_with("orchflow-orchestrator has 15001"), "{found:?}");
    }
}
