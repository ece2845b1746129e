//! Programs a repository's own configuration names for filters, diffs and merges, and
//! the settings that keep each from running. The user's own (global, system) ones stay.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// A true three-way merge in the place of a driver: an empty driver would take one side.
const PLAIN_MERGE: &str =
    "git merge-file -q -L ours -L base -L theirs --marker-size=%L %A %O %B || exit 1";

/// Variables that undo every driver which the answer to `git config --list --show-scope -z`
/// says comes from the repository, and name an author when the user has none.
pub(super) fn overrides(listed: &[u8]) -> Vec<(OsString, OsString)> {
    let mut own: BTreeMap<String, String> = BTreeMap::new();
    let mut foreign: Vec<String> = Vec::new();
    let (mut named, mut reachable) = (false, false);
    let mut parts = listed.split(|byte| *byte == 0);
    while let (Some(scope), Some(entry)) = (parts.next(), parts.next()) {
        let entry = String::from_utf8_lossy(entry);
        let (key, value) = entry.split_once('\n').unwrap_or((&entry, ""));
        named |= key == "user.name";
        reachable |= key == "user.email";
        if neutral(key).is_none() {
            continue;
        }
        match scope {
            b"local" | b"worktree" => foreign.push(key.to_owned()),
            b"system" | b"global" => {
                own.insert(key.to_owned(), value.to_owned());
            }
            _ => {}
        }
    }
    let mut settings: Vec<(String, String)> = Vec::new();
    for key in foreign {
        let value = own.get(&key).cloned().or_else(|| neutral(&key).map(str::to_owned));
        settings.extend(value.map(|value| (key, value)));
    }
    let mut env = as_variables(settings);
    if !(named && reachable) {
        for role in ["AUTHOR", "COMMITTER"] {
            env.push((format!("GIT_{role}_NAME").into(), "orchflow".into()));
            env.push((format!("GIT_{role}_EMAIL").into(), "orchflow@localhost".into()));
        }
    }
    env
}

/// The value with which a key of a driver does nothing; none for keys that run nothing.
fn neutral(key: &str) -> Option<&'static str> {
    let (section, rest) = key.split_once('.')?;
    let (_, variable) = rest.rsplit_once('.')?;
    match (section, variable) {
        ("filter", "clean" | "smudge" | "process") => Some(""),
        ("filter", "required") => Some("false"),
        ("diff", "textconv") => Some("cat"),
        ("merge", "driver") => Some(PLAIN_MERGE),
        ("hook", "command") => Some("true"),
        ("hook", "enabled") => Some("false"),
        _ => None,
    }
}

/// Settings by variables and not by `-c`: a driver's name may hold an equals sign.
fn as_variables(mut settings: Vec<(String, String)>) -> Vec<(OsString, OsString)> {
    settings.dedup();
    let mut env = Vec::new();
    if !settings.is_empty() {
        env.push(("GIT_CONFIG_COUNT".into(), settings.len().to_string().into()));
    }
    for (index, (key, value)) in settings.into_iter().enumerate() {
        env.push((format!("GIT_CONFIG_KEY_{index}").into(), key.into()));
        env.push((format!("GIT_CONFIG_VALUE_{index}").into(), value.into()));
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(env: &[(OsString, OsString)], key: &str) -> Option<String> {
        let at = env.iter().position(|(_, given)| given == key)?;
        env.get(at + 1).map(|(_, value)| value.to_string_lossy().into_owned())
    }

    #[test]
    fn a_driver_of_the_repository_is_undone_and_one_of_the_user_stays() {
        let listed = b"global\0user.name\nA\0global\0user.email\na@b\0\
            global\0filter.lfs.clean\ngit-lfs clean\0\
            local\0filter.lfs.clean\nevil\0local\0filter.a=b.c.smudge\nevil\0\
            local\0merge.m.driver\nevil\0worktree\0diff.d.textconv\nevil\0local\0core.bare\nfalse\0";
        let env = overrides(listed);
        assert_eq!(value(&env, "filter.lfs.clean").as_deref(), Some("git-lfs clean"));
        assert_eq!(value(&env, "filter.a=b.c.smudge").as_deref(), Some(""));
        assert_eq!(value(&env, "merge.m.driver").as_deref(), Some(PLAIN_MERGE));
        assert_eq!(value(&env, "diff.d.textconv").as_deref(), Some("cat"));
        assert_eq!(env[0], ("GIT_CONFIG_COUNT".into(), "4".into()));
        assert_eq!(env.len(), 9);
    }

    #[test]
    fn an_author_is_named_only_when_the_user_has_none() {
        let env = overrides(b"local\0user.name\nA\0");
        assert!(env.contains(&("GIT_AUTHOR_EMAIL".into(), "orchflow@localhost".into())));
        assert!(overrides(b"local\0user.name\nA\0global\0user.email\na\0").is_empty());
    }
}
