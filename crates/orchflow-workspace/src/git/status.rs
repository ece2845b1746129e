//! Where a checkout stands: its commit, its branch, what is under way, what is not committed.

use std::path::PathBuf;

use super::{Repo, call};
use crate::Result;

/// Where a checkout stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepoState {
    /// The commit at HEAD; none in a repository without one.
    pub head: Option<String>,
    /// The branch that is checked out; none when HEAD is detached.
    pub branch: Option<String>,
    /// What is half done.
    pub operation: Option<Operation>,
    /// What differs from HEAD, untracked files included, ignored ones not.
    pub entries: Vec<StatusEntry>,
}

impl RepoState {
    /// Whether anything is uncommitted, untracked files included.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !self.entries.is_empty()
    }
}

/// A command of git's that waits to be continued or given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `git rebase`.
    Rebase,
    /// `git merge`.
    Merge,
    /// `git cherry-pick`.
    CherryPick,
    /// `git revert`.
    Revert,
    /// `git bisect`.
    Bisect,
    /// `git am`.
    Am,
}

impl Operation {
    /// The word of git's that continues or gives it up.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rebase => "rebase",
            Self::Merge => "merge",
            Self::CherryPick => "cherry-pick",
            Self::Revert => "revert",
            Self::Bisect => "bisect",
            Self::Am => "am",
        }
    }
}

/// One path that differs from HEAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEntry {
    /// Relative to the root of the checkout.
    pub path: PathBuf,
    /// How it differs.
    pub kind: EntryKind,
    /// Two letters as `git status --porcelain` prints them: index, file.
    pub code: String,
    /// Whether the index differs from HEAD.
    pub staged: bool,
    /// Whether the file differs from the index.
    pub unstaged: bool,
}

/// How a path differs from HEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// It is new in the index.
    Added,
    /// Its content, type or mode changed.
    Modified,
    /// It is gone.
    Deleted,
    /// Git does not know it.
    Untracked,
    /// A repository of its own that this one does not know.
    NestedRepository,
    /// It waits for a conflict to be solved.
    Conflicted,
}

impl Repo {
    /// Where the checkout stands. The index is not refreshed on disk.
    ///
    /// # Errors
    /// Git could not be asked.
    pub async fn state(&self) -> Result<RepoState> {
        let git = self.guarded().await?;
        self.state_by(&git).await
    }

    /// What differs from HEAD; see [`RepoState::entries`].
    ///
    /// # Errors
    /// Git could not be asked.
    pub async fn status(&self) -> Result<Vec<StatusEntry>> {
        Ok(self.state().await?.entries)
    }

    pub(super) async fn state_by(&self, git: &call::Git<'_>) -> Result<RepoState> {
        let args = [
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
            "--untracked-files=all",
            "--ignore-submodules=dirty",
            "--no-renames",
        ];
        let output = git.run("read the status", args).await?;
        let operation = self.operation();
        Ok(RepoState { operation, ..parse(&output.stdout) })
    }

    /// What is half done in this checkout, by the files git leaves for it.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        let has = |name: &str| self.git_dir().join(name).exists();
        if has("rebase-apply/applying") {
            return Some(Operation::Am);
        }
        let marks = [
            ("rebase-merge", Operation::Rebase),
            ("rebase-apply", Operation::Rebase),
            ("MERGE_HEAD", Operation::Merge),
            ("CHERRY_PICK_HEAD", Operation::CherryPick),
            ("REVERT_HEAD", Operation::Revert),
            ("BISECT_LOG", Operation::Bisect),
        ];
        marks.into_iter().find(|(name, _)| has(name)).map(|(_, operation)| operation)
    }
}

/// Reads porcelain v2 (git-status(1)), without renames.
fn parse(bytes: &[u8]) -> RepoState {
    let mut state = RepoState::default();
    for field in call::fields(bytes) {
        let line = String::from_utf8_lossy(field);
        if let Some(head) = line.strip_prefix("# branch.oid ") {
            state.head = (head != "(initial)").then(|| head.to_owned());
        } else if let Some(branch) = line.strip_prefix("# branch.head ") {
            state.branch = (branch != "(detached)").then(|| branch.to_owned());
        } else {
            state.entries.extend(entry(field));
        }
    }
    state
}

fn entry(field: &[u8]) -> Option<StatusEntry> {
    // The fields before the path: `1 XY sub mH mI mW hH hI` and `u XY sub m1 m2 m3 mW h1 h2 h3`.
    let before = match field.first()? {
        b'1' => 8,
        b'u' => 10,
        b'?' => {
            let nested = field.ends_with(b"/");
            let kind = if nested { EntryKind::NestedRepository } else { EntryKind::Untracked };
            let name = field.get(2..)?;
            let path = call::path(name.strip_suffix(b"/").unwrap_or(name));
            return Some(StatusEntry {
                path,
                kind,
                code: "??".to_owned(),
                staged: false,
                unstaged: true,
            });
        }
        _ => return None,
    };
    let path = call::path(field.splitn(before + 1, |byte| *byte == b' ').nth(before)?);
    let (index, file) = (*field.get(2)?, *field.get(3)?);
    let kind = match (index, file) {
        _ if field.first() == Some(&b'u') => EntryKind::Conflicted,
        (_, b'D') | (b'D', b'.') => EntryKind::Deleted,
        (b'A', _) | (b'.', b'A') => EntryKind::Added,
        _ => EntryKind::Modified,
    };
    let code = [index, file].map(|letter| if letter == b'.' { ' ' } else { char::from(letter) });
    let code = code.iter().collect();
    Some(StatusEntry { path, kind, code, staged: index != b'.', unstaged: file != b'.' })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn porcelain_v2_is_read_with_every_kind_of_entry() {
        let bytes = b"# branch.oid abc\0# branch.head main\0# branch.upstream origin/main\0\
            1 M. N... 100644 100644 100644 a b with space.txt\0\
            1 .D N... 100644 100644 000000 a b gone\0\
            1 A. N... 000000 100644 100644 a b new\0\
            u UU N... 100644 100644 100644 100644 a b c both\0? loose\0? inner/\0";
        let state = parse(bytes);
        assert_eq!((state.head.as_deref(), state.branch.as_deref()), (Some("abc"), Some("main")));
        let entry = |path: &str, kind, code: &str, staged, unstaged| StatusEntry {
            path: path.into(),
            kind,
            code: code.to_owned(),
            staged,
            unstaged,
        };
        let expected = [
            entry("with space.txt", EntryKind::Modified, "M ", true, false),
            entry("gone", EntryKind::Deleted, " D", false, true),
            entry("new", EntryKind::Added, "A ", true, false),
            entry("both", EntryKind::Conflicted, "UU", true, true),
            entry("loose", EntryKind::Untracked, "??", false, true),
            entry("inner", EntryKind::NestedRepository, "??", false, true),
        ];
        assert_eq!(state.entries, expected);
    }

    #[test]
    fn a_repository_without_a_commit_and_a_detached_head_are_told() {
        let state = parse(b"# branch.oid (initial)\0# branch.head (detached)\0");
        assert_eq!((state.head, state.branch), (None, None));
    }
}
