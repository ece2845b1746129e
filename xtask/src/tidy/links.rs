//! Links: what a page points at inside the repository is there.

use std::path::{Component, Path, PathBuf};

use super::tree::File;
use super::{Fault, Tree};

/// Every relative link of every Markdown file leads to a file or a folder.
pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    tree.pages().flat_map(|page| faults_of(tree, page)).collect()
}

fn faults_of(tree: &Tree, page: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, line) in page.prose() {
        for target in targets(line) {
            if !leads_somewhere(tree, page, target) {
                let what = format!("the link `{target}` leads nowhere");
                let mend = "Point it at the file's new place, or take it out.";
                faults.push(Fault::new(&page.path, index + 1, what, mend));
            }
        }
    }
    faults
}

fn leads_somewhere(tree: &Tree, page: &File, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let dir = page.path.parent().unwrap_or(Path::new(""));
    let Some(full) = (if path.is_empty() { Some(page.path.clone()) } else { resolve(dir, path) })
    else {
        return false;
    };
    let is_root = full.as_os_str().is_empty();
    if !is_root && !tree.paths.contains(&full) {
        return false;
    }
    let other = tree.file(&full).filter(|file| file.path.extension().is_some_and(|e| e == "md"));
    anchor.is_empty() || other.is_none_or(|other| has_heading(other, anchor))
}

/// `path` as seen from `dir`; none when it leaves the repository.
fn resolve(dir: &Path, path: &str) -> Option<PathBuf> {
    let mut full = dir.to_path_buf();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => full.push(name),
            Component::ParentDir if !full.as_os_str().is_empty() => _ = full.pop(),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(full)
}

fn has_heading(page: &File, anchor: &str) -> bool {
    let headings = page.text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| slug(line.trim_start_matches('#').trim())).any(|slug| slug == anchor)
}

/// As code hosts spell the anchor of a heading.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

/// What stands in `](…)` on a line, outside of `code`.
fn targets(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for prose in line.split('`').step_by(2) {
        found.extend(prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
    }
    // A link's text may be code: then the code ends right before the link's target.
    let after_code = line.split("`](").skip(1).filter_map(|rest| rest.split(')').next());
    for target in after_code {
        if !found.contains(&target) {
            found.push(target);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_somewhere_pass() {
        let page = "[a](../README.md) [b](errors/) [c](https://x.y/z) [d](#the-wire) \
                    [`e`](errors/git.md#git) `[f](nowhere)`\n\n# The wire\n```\n[g](nowhere)\n```\n";
        let tree = Tree::of(&[
            ("docs/page.md", page),
            ("docs/errors/git.md", "# git\n"),
            ("README.md", "[docs](docs/page.md)\n"),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let page = "fine\n[a](gone.md) [`b`](gone.rs)\n[c](#gone) [d](../../outside.md)\n";
        let found = check(&Tree::of(&[("docs/page.md", page)]));
        let lines: Vec<_> = found.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 2, 3, 3], "{found:?}");
    }
}
