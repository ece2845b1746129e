//! The fingerprint changes with every byte that could change what runs, and with no other.

use orchflow_types::{ErrorKind, Explain};
use orchflow_workspace::trust::{content, fingerprint};

use crate::fixture::write;

#[test]
fn nothing_to_trust_is_an_empty_list_and_every_byte_counts() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write(root, "src/main.rs", "fn main() {}");
    let none = fingerprint(root).unwrap();
    assert!(none.files.is_empty());
    let mut seen = vec![none.hash];
    for (name, text) in [
        (".orchflow/config.toml", "a"),
        (".orchflow/config.toml", "b"),
        (".orchflow/deep/x", ""),
        (".worktreeinclude", ".env"),
        (".claude/settings.json", "{}"),
        (".claude/settings.local.json", "{}"),
        (".mcp.json", "{}"),
        (".codex/config.toml", ""),
        (".gemini/settings.json", "{}"),
    ] {
        write(root, name, text);
        let hash = fingerprint(root).unwrap().hash;
        assert!(!seen.contains(&hash), "{name}");
        seen.push(hash);
    }
    let last = fingerprint(root).unwrap();
    write(root, ".orchflow/plan.md", "# plan");
    write(root, "src/main.rs", "fn main() { }");
    assert_eq!(fingerprint(root).unwrap(), last);
    let paths: Vec<&str> = last.files.iter().map(|file| file.path.as_str()).collect();
    assert!(paths.is_sorted() && paths.len() == 8, "{paths:?}");
}

#[test]
fn a_link_is_refused_when_it_leaves_and_counts_by_its_content_when_it_stays() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("project");
    write(&root, "tool.toml", "a");
    std::fs::create_dir(root.join(".orchflow")).unwrap();
    std::os::unix::fs::symlink("../tool.toml", root.join(".orchflow/config.toml")).unwrap();
    let before = fingerprint(&root).unwrap();
    write(&root, "tool.toml", "b");
    assert_ne!(fingerprint(&root).unwrap().hash, before.hash);
    write(dir.path(), "outside", "x");
    std::os::unix::fs::symlink("../../outside", root.join(".orchflow/out")).unwrap();
    let error = fingerprint(&root).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().contains(".orchflow/out"), "{error}");
}

#[test]
fn a_huge_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), ".mcp.json", &"x".repeat((1 << 20) + 1));
    assert_eq!(fingerprint(dir.path()).unwrap_err().kind(), ErrorKind::File);
}

#[test]
fn what_is_used_of_a_configuration_is_what_was_hashed_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write(root, ".orchflow/config.toml", "a");
    write(root, "tool.toml", "b");
    std::os::unix::fs::symlink("../tool.toml", root.join(".orchflow/link.toml")).unwrap();
    let files = fingerprint(root).unwrap().files;
    assert_eq!(content(root, &files[0]).unwrap().as_deref(), Some(b"a".as_slice()));
    assert_eq!(content(root, &files[1]).unwrap().as_deref(), Some(b"b".as_slice()));
    write(root, ".orchflow/config.toml", "c");
    write(root, "tool.toml", "d");
    assert_eq!(content(root, &files[0]).unwrap(), None);
    assert_eq!(content(root, &files[1]).unwrap(), None);
    std::fs::remove_file(root.join(".orchflow/config.toml")).unwrap();
    assert_eq!(content(root, &files[0]).unwrap(), None);
}
