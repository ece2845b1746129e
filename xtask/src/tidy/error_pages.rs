//! Error pages: every kind of error has its page, and the page its true numbers.

use super::{Fault, Tree};

const KINDS: &str = "crates/orchflow-types/src/error.rs";
const PAGES: &str = "docs/errors";

struct Kind {
    word: String,
    code: String,
    exit: String,
    line: usize,
}

/// Every kind has a page `docs/errors/WORD.md` with its code and exit code; no page has none.
pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let Some(source) = tree.file(KINDS) else { return Vec::new() };
    let kinds: Vec<Kind> = source.code().filter_map(|(line, text)| kind(line, text)).collect();
    if kinds.is_empty() {
        let mend = "Keep rows as `Name = \"word\", CODE, exit N;` or teach error_pages.rs to read.";
        return vec![Fault::new(KINDS, 1, "no kind of error could be read", mend)];
    }
    let mut faults: Vec<Fault> = kinds.iter().filter_map(|kind| page_fault(tree, kind)).collect();
    for file in tree.files.iter().filter(|file| file.path.starts_with(PAGES)) {
        if !kinds.iter().any(|kind| kind.word == file.stem()) {
            let what = format!("no kind of error is called `{}`", file.stem());
            faults.push(Fault::new(&file.path, 1, what, format!("Remove it, or see {KINDS}.")));
        }
    }
    faults
}

fn page_fault(tree: &Tree, kind: &Kind) -> Option<Fault> {
    let path = format!("{PAGES}/{}.md", kind.word);
    let Some(page) = tree.file(&path) else {
        let what = format!("the kind `{}` has no page", kind.word);
        let mend = format!("Write {path}: what it means, when it is seen, how to mend it.");
        return Some(Fault::new(KINDS, kind.line, what, mend));
    };
    let title = format!("# {}", kind.word);
    let numbers = format!("JSON-RPC code {}, exit code {}.", kind.code, kind.exit);
    let mut lines = page.text.lines().filter(|line| !line.is_empty());
    if lines.next() == Some(&title) && lines.next().is_some_and(|line| line.ends_with(&numbers)) {
        return None;
    }
    let what = "the page does not begin with its title and its numbers".to_owned();
    Some(Fault::new(path, 1, what, format!("Begin it with `{title}`, then `{numbers}`.")))
}

/// A row `Name = "word", CODE, exit N;`.
fn kind(line: usize, text: &str) -> Option<Kind> {
    let (_, rest) = text.trim().split_once(" = \"")?;
    let (word, rest) = rest.split_once("\", ")?;
    let (code, rest) = rest.split_once(", exit ")?;
    let exit = rest.strip_suffix(';')?;
    Some(Kind { word: word.to_owned(), code: code.to_owned(), exit: exit.to_owned(), line })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "//! Kinds.\nkinds! {\n    /// Doc.\n    NotFound = \"not_found\", -32010, exit 3;\n}\n";
    const PAGE: &str = "# not_found\n\nJSON-RPC code -32010, exit code 3.\n\nText.\n";

    #[test]
    fn a_kind_with_its_page_passes() {
        let tree = Tree::of(&[(KINDS, SOURCE), ("docs/errors/not_found.md", PAGE)]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn a_kind_without_a_page_and_a_page_without_a_kind_are_found() {
        let tree = Tree::of(&[(KINDS, SOURCE), ("docs/errors/gone.md", "# gone\n")]);
        let found = check(&tree);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].line, 4);
        assert!(found[1].what.contains("`gone`"));
    }

    #[test]
    fn a_page_with_other_numbers_is_found() {
        let page = PAGE.replace("code 3", "code 7");
        let tree = Tree::of(&[(KINDS, SOURCE), ("docs/errors/not_found.md", &page)]);
        assert_eq!(check(&tree).len(), 1);
    }

    #[test]
    fn a_table_that_cannot_be_read_is_not_taken_as_empty() {
        assert_eq!(check(&Tree::of(&[(KINDS, "//! Kinds.\n")])).len(), 1);
    }
}
