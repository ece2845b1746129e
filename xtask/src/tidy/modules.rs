//! Forgotten files: Rust does not compile, and so does not test, a file no `mod` names.

use std::path::{Path, PathBuf};

use super::tree::File;
use super::{Fault, Tree};

/// Every source and every test file is named by `mod` in the file above it.
pub(super) fn forgotten(tree: &Tree) -> Vec<Fault> {
    tree.rust().filter_map(|file| fault_of(tree, file)).collect()
}

fn fault_of(tree: &Tree, file: &File) -> Option<Fault> {
    let above = files_above(&file.path)?;
    let name = file.stem();
    let named = above.iter().filter_map(|path| tree.file(path)).any(|above| names(above, name));
    if named {
        return None;
    }
    let place = above.last()?.display();
    let what = format!("no `mod {name};` names the file, so it is never compiled");
    Some(Fault::new(&file.path, 1, what, format!("Write `mod {name};` in {place}.")))
}

fn names(above: &File, module: &str) -> bool {
    let wanted = format!("mod {module};");
    above.code().any(|(_, line)| {
        let line = line.trim();
        line.ends_with(&wanted) && (line == wanted || line.contains(&format!(" {wanted}")))
    })
}

/// Where a file's `mod` may stand; none for files that cargo finds by itself.
fn files_above(path: &Path) -> Option<Vec<PathBuf>> {
    let dir = path.parent()?;
    let name = path.file_stem()?;
    let is_root = |dir: &Path| dir.ends_with("src") || dir.ends_with("tests/it");
    if !path.iter().any(|part| part == "src") && !path.iter().any(|part| part == "it") {
        return None; // build.rs, examples, benches
    }
    if path.iter().any(|part| part == "fixtures") {
        return None; // sources of projects that tests look at
    }
    if is_root(dir) {
        let found_by_cargo = name == "main" || name == "lib";
        let roots = [dir.join("lib.rs"), dir.join("main.rs")];
        return (!found_by_cargo).then(|| roots.to_vec());
    }
    if dir.ends_with("src/bin") {
        return None;
    }
    Some(vec![dir.with_extension("rs")])
}

/// A crate has one integration binary, `tests/it/main.rs`: each more is linked anew.
pub(super) fn one_integration_binary(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.rust() {
        let dir = file.path.parent().unwrap_or(Path::new(""));
        if dir.ends_with("tests") && !dir.iter().any(|part| part == "src" || part == "it") {
            let mend = "Move it to tests/it/ and name it in tests/it/main.rs.";
            let what = "a second integration binary: cargo links each file here by itself";
            faults.push(Fault::new(&file.path, 1, what, mend));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_file_that_main_does_not_name_is_found() {
        let tree = Tree::of(&[
            ("crates/x/tests/it/main.rs", "//! Tests.\nmod named;\n// mod forgotten;\n"),
            ("crates/x/tests/it/named.rs", "//! Named.\n"),
            ("crates/x/tests/it/forgotten.rs", "//! Forgotten.\n"),
        ]);
        let found = forgotten(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path.to_str(), Some("crates/x/tests/it/forgotten.rs"));
        assert!(found[0].mend.contains("crates/x/tests/it/main.rs"));
    }

    #[test]
    fn a_source_is_named_by_the_file_beside_its_folder() {
        let tree = Tree::of(&[
            ("crates/x/src/lib.rs", "pub mod a;\n"),
            ("crates/x/src/a.rs", "#[cfg(test)]\nmod tests;\nmod b;\n"),
            ("crates/x/src/a/b.rs", ""),
            ("crates/x/src/a/tests.rs", ""),
            ("crates/x/src/a/c.rs", ""),
            ("crates/x/build.rs", ""),
        ]);
        let found = forgotten(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path.to_str(), Some("crates/x/src/a/c.rs"));
    }

    #[test]
    fn a_second_integration_binary_is_found() {
        let tree = Tree::of(&[("crates/x/tests/more.rs", ""), ("crates/x/tests/it/main.rs", "")]);
        assert_eq!(one_integration_binary(&tree).len(), 1);
    }
}
