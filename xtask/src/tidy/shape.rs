//! The shape of sources: a head that says what a file is, a lib.rs that only opens doors,
//! names that mean something.

use super::tree::File;
use super::{Fault, Tree};

/// Every Rust file begins with `//!`.
pub(super) fn heads(tree: &Tree) -> Vec<Fault> {
    let without = tree.rust().filter(|file| !file.text.starts_with("//!"));
    let fault = |file: &File| {
        let mend = "Say on the first lines what the file is, and what it is not.";
        Fault::new(&file.path, 1, "the file does not begin with `//!`", mend)
    };
    without.map(fault).collect()
}

/// Every `lib.rs` holds docs, `mod` and `use`, nothing else.
pub(super) fn lib_files(tree: &Tree) -> Vec<Fault> {
    let libs = tree.rust().filter(|file| file.path.ends_with("src/lib.rs"));
    libs.flat_map(faults_of_lib).collect()
}

fn faults_of_lib(file: &File) -> Vec<Fault> {
    let mut open_until = None;
    let mut faults = Vec::new();
    for (line, text) in file.code() {
        let text = text.trim();
        if let Some(end) = open_until {
            if text.ends_with(end) {
                open_until = None;
            }
            continue;
        }
        let visible = text.strip_prefix("pub").map_or(text, |rest| {
            rest.strip_prefix("(crate)").or_else(|| rest.strip_prefix("(super)")).unwrap_or(rest)
        });
        let item = visible.trim_start();
        let (fits, end) = match item {
            "" => (true, None),
            _ if item.starts_with("use ") => (true, Some(";")),
            _ if item.starts_with("mod ") => (item.ends_with(';'), None),
            _ if item.starts_with("#![") || item.starts_with("#[") => (true, Some("]")),
            _ => (false, None),
        };
        if !fits {
            let what = format!("`{text}` is neither docs, nor `mod NAME;`, nor `use`");
            let mend = "Move it to a module with a name, and re-export it here if it is public.";
            faults.push(Fault::new(&file.path, line, what, mend));
            break;
        }
        open_until = end.filter(|end| !text.ends_with(end) && !text.ends_with(';'));
    }
    faults
}

/// Names that say nothing of what is inside.
const EMPTY_WORDS: [&str; 5] = ["utils", "common", "core", "shared", "helpers"];

/// No file, folder, module or crate has an empty name, and no file is called `mod.rs`.
pub(super) fn names(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mend = "Name it after the thing it holds; if that is several things, it is several files.";
    let is_empty_word = |word: &str| EMPTY_WORDS.contains(&word);
    for file in tree.rust() {
        if file.stem() == "mod" {
            let mend = "Call it NAME.rs beside the folder NAME/.";
            faults.push(Fault::new(&file.path, 1, "the file is called mod.rs", mend));
        }
        let parts = file.path.with_extension("");
        let mut words = parts.iter().filter_map(|part| part.to_str());
        if let Some(word) = words.find(|word| is_empty_word(word)) {
            faults.push(Fault::new(&file.path, 1, format!("`{word}` says nothing"), mend));
        }
        for (line, text) in file.code() {
            if let Some(word) = inline_module(text).filter(|word| is_empty_word(word)) {
                faults.push(Fault::new(&file.path, line, format!("`{word}` says nothing"), mend));
            }
        }
    }
    for member in &tree.crates {
        let last = member.name.rsplit('-').next().unwrap_or_default();
        if is_empty_word(last) {
            let what = format!("`{}` says nothing", member.name);
            faults.push(Fault::new(member.dir.join("Cargo.toml"), 1, what, mend));
        }
    }
    faults
}

/// The name in `mod NAME {`.
fn inline_module(line: &str) -> Option<&str> {
    let (_, rest) = line.trim().split_once("mod ").filter(|(before, _)| {
        let before = before.trim();
        before.is_empty() || before.starts_with("pub")
    })?;
    rest.strip_suffix('{').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_head_is_found() {
        let tree = Tree::of(&[("a.rs", "//! A.\n"), ("b.rs", "use std::fmt;\n"), ("c.md", "")]);
        let found = heads(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path.to_str(), Some("b.rs"));
    }

    #[test]
    fn a_lib_with_docs_modules_and_uses_passes() {
        let text = "//! Docs.\n#![allow(\n    missing_docs\n)]\n\n#[macro_use]\nmod a;\npub mod b;\n\
                    pub(crate) mod c;\n// Why.\npub use a::{\n    One,\n    Two,\n};\nuse b::Three;\n\
                    #[cfg(test)]\nmod tests;\n";
        assert_eq!(lib_files(&Tree::of(&[("crates/x/src/lib.rs", text)])), []);
    }

    #[test]
    fn code_in_a_lib_is_found_with_its_line() {
        for code in ["pub fn go() {}\n", "struct S;\n", "mod inside {\n}\n", "pub const A: u8 = 1;"]
        {
            let text = format!("//! Docs.\nmod a;\n{code}");
            let found = lib_files(&Tree::of(&[("crates/x/src/lib.rs", &text)]));
            assert_eq!(found.len(), 1, "{code}");
            assert_eq!(found[0].line, 3, "{code}");
        }
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        let tree = Tree::of(&[
            ("crates/x/src/utils.rs", ""),
            ("crates/x/src/common/a.rs", ""),
            ("crates/x/src/a.rs", "mod b {\n}\npub(crate) mod helpers {\n}\n"),
            ("crates/x/src/a/mod.rs", ""),
            ("crates/x/src/shared_memory.rs", ""),
        ])
        .with_crate("orchflow-core", &[]);
        let found = names(&tree);
        let places: Vec<_> = found.iter().map(|f| (f.path.to_str().unwrap(), f.line)).collect();
        assert_eq!(
            places,
            [
                ("crates/x/src/utils.rs", 1),
                ("crates/x/src/common/a.rs", 1),
                ("crates/x/src/a.rs", 3),
                ("crates/x/src/a/mod.rs", 1),
                ("crates/orchflow-core/Cargo.toml", 1),
            ]
        );
    }
}
