//! The environment: read here only, and scrubbed for children.

use std::ffi::OsString;
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
/// terminal, without anything that would steer git or orchflow itself.
#[must_use]
pub fn for_children() -> Vec<(OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_passed_on)).collect()
}

/// Whether a variable of this name reaches children that did not ask for it by name.
#[must_use]
pub fn is_passed_on(name: &str) -> bool {
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
    const SECRET: [&str; 9] = [
        "KEY",
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "CREDENTIAL",
        "PRIVATE",
        "COOKIE",
        "AUTHORIZATION",
    ];
    let upper = name.to_ascii_uppercase();
    let outer = OUTER.iter().any(|prefix| upper.starts_with(prefix));
    let secret = SECRET.iter().any(|word| upper.contains(word));
    !(outer || secret)
}

/// The first executable file called `program` on `PATH`; a path with a slash is taken as it is.
#[must_use]
pub fn find_program(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| is_executable(path));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| is_executable(path))
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
            assert!(!is_passed_on(held), "{held}");
        }
        for passed in ["PATH", "HOME", "LANG", "CARGO_HOME", "VIRTUAL_ENV", "SSH_AUTH_SOCK"] {
            assert!(is_passed_on(passed), "{passed}");
        }
    }

    #[test]
    fn a_program_is_found_on_the_path_and_a_missing_one_is_not() {
        assert!(find_program("sh").is_some_and(|path| path.is_absolute()));
        assert_eq!(find_program("no-such-program-anywhere"), None);
    }
}
