//! The environment: read here only, and scrubbed for children.

mod secret;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The value of a variable, when it is set, not empty and UTF-8.
#[must_use]
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable that holds a path, when it is set and not empty.
#[must_use]
pub fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The user's home folder, from `HOME`.
#[must_use]
pub fn home() -> Option<PathBuf> {
    path("HOME")
}

/// The environment as it is, secrets included: only for a copy of orchflow itself, which
/// needs what its user gave it. Every other child gets [`for_children`].
#[must_use]
pub fn all() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// What children inherit: our environment without secrets, without marks of an outer
/// terminal, without anything that would steer git or orchflow itself. Their `PATH` has its
/// absolute folders only: one that is relative would find programs in whatever folder, so
/// also repository, a child works in.
#[must_use]
pub fn for_children() -> Vec<(OsString, OsString)> {
    let passed = |(name, value): &(OsString, OsString)| {
        name.to_str().is_some_and(|name| is_passed_on(name, &value.to_string_lossy()))
    };
    let sound = |(name, value): (OsString, OsString)| match name.to_str() {
        Some("PATH") => Some((name, absolute(&value)?)),
        _ => Some((name, value)),
    };
    std::env::vars_os().filter(passed).filter_map(sound).collect()
}

/// Whether a variable with this name and value reaches children that did not ask for it by
/// name.
#[must_use]
pub fn is_passed_on(name: &str, value: &str) -> bool {
    !(is_outer(name) || secret::has_name_of_one(name) || secret::is_in(value))
}

fn is_outer(name: &str) -> bool {
    const OUTER: [&str; 9] = [
        "TMUX",
        "STY",
        "KITTY_",
        "WEZTERM_",
        "TERM_PROGRAM",
        "ZELLIJ",
        "GIT_",
        "ORCHFLOW_",
        "VTE_",
    ];
    let upper = name.to_ascii_uppercase();
    OUTER.iter().any(|prefix| upper.starts_with(prefix))
}

/// The first executable file called `program` in an absolute folder of `PATH`. A path with a
/// slash is taken as it is when it is absolute; a relative one means another file in each
/// folder, and none here.
#[must_use]
pub fn find_program(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        let path = PathBuf::from(program);
        return Some(path).filter(|path| path.is_absolute() && is_executable(path));
    }
    find_in(&std::env::var_os("PATH")?, program)
}

fn find_in(path: &OsStr, program: &str) -> Option<PathBuf> {
    let dirs = std::env::split_paths(path).filter(|dir| dir.is_absolute());
    dirs.map(|dir| dir.join(program)).find(|path| is_executable(path))
}

/// The absolute folders of a search path; none when it has none, since an empty one means
/// the current folder.
fn absolute(path: &OsStr) -> Option<OsString> {
    let mut dirs = std::env::split_paths(path).filter(|dir| dir.is_absolute()).peekable();
    dirs.peek()?;
    std::env::join_paths(dirs).ok()
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_marks_of_an_outer_terminal_do_not_reach_children() {
        for held in [
            "ANTHROPIC_API_KEY",
            "github_token",
            "DB_PASSWORD",
            "TMUX",
            "TMUX_PANE",
            "GIT_DIR",
            "ORCHFLOW_TOKEN",
        ] {
            assert!(!is_passed_on(held, "x"), "{held}");
        }
        for passed in ["PATH", "HOME", "LANG", "CARGO_HOME", "VIRTUAL_ENV", "SSH_AUTH_SOCK"] {
            assert!(is_passed_on(passed, "/x"), "{passed}");
        }
        assert!(!is_passed_on("DATABASE_URL", "postgres://me:secret@localhost/db"));
        assert!(is_passed_on("DATABASE_URL", "postgres://localhost/db"));
    }

    #[test]
    fn no_program_is_looked_for_in_a_folder_that_depends_on_where_one_is() {
        let bin = tempfile::tempdir().unwrap();
        let here = std::env::current_dir().unwrap();
        // From here, so that a relative entry leads to the very same folder.
        let up = "../".repeat(here.components().count() - 1);
        let relative = format!("{up}{}", bin.path().strip_prefix("/").unwrap().display());
        let program = bin.path().join("found-me");
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, mode).unwrap();
        assert!(is_executable(&Path::new(&relative).join("found-me")), "{relative}");
        assert_eq!(find_in(OsStr::new(&format!("{relative}::.")), "found-me"), None);
        let path = format!("{relative}:{}", bin.path().display());
        assert_eq!(find_in(OsStr::new(&path), "found-me"), Some(program));
        assert_eq!(absolute(OsStr::new(&path)), Some(bin.path().into()));
        assert_eq!(absolute(OsStr::new(":.:bin")), None);
        assert_eq!(find_program(&format!("{relative}/found-me")), None);
    }

    #[test]
    fn a_program_is_found_on_the_path_and_a_missing_one_is_not() {
        assert!(find_program("sh").is_some_and(|path| path.is_absolute()));
        assert_eq!(find_program("no-such-program-anywhere"), None);
    }
}
