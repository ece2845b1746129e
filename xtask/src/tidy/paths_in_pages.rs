//! Paths in pages: a file that a page names by its full path is there.

use std::path::Path;

use super::tree::File;
use super::{Fault, Tree};

/// Where a path of this repository begins.
const BEGINNINGS: [&str; 4] = ["crates/", "xtask/", "docs/", "examples/"];

/// Every path in `code` of every page leads to a file or a folder. What is only an example
/// of a path holds a word in capitals (`docs/errors/WORD.md`).
pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    tree.pages().flat_map(|page| faults_of(tree, page)).collect()
}

fn faults_of(tree: &Tree, page: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, line) in page.prose() {
        for code in line.split('`').skip(1).step_by(2).filter(|code| is_path(code)) {
            if !tree.paths.contains(Path::new(code.trim_end_matches('/'))) {
                let what = format!("`{code}` is not there");
                let mend = "Name the file's new place.";
                faults.push(Fault::new(&page.path, index + 1, what, mend));
            }
        }
    }
    faults
}

fn is_path(code: &str) -> bool {
    let is_example = code
        .split(['/', '.'])
        .any(|part| part.len() > 1 && part.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    let plain = code.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    BEGINNINGS.iter().any(|begin| code.starts_with(begin)) && plain && !is_example
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_gone_is_found_and_examples_of_paths_are_not() {
        let page = "See `crates/x/src/a.rs`, `crates/x/src/`, `crates/x/src/gone.rs`.\n\
                    Write `docs/errors/WORD.md`; call `crates::x`.\n```\n`crates/nowhere`\n```\n";
        let tree = Tree::of(&[("docs/page.md", page), ("crates/x/src/a.rs", "")]);
        let found = check(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].what, "`crates/x/src/gone.rs` is not there");
    }
}
