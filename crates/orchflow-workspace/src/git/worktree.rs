//! Worktrees: made with one call of git's, found without one, removed only when saved.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::admin::{OWN_BRANCH, canonical, own_branch};
use super::repair::{add_mark, remove_tree, turn};
use super::{RefKind, Repo, call, valid_branch};
use crate::{Error, Result};

/// One checkout of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// Its branch; none when its HEAD is detached.
    pub branch: Option<String>,
    /// Its commit; none in a bare repository or before the first commit.
    pub head: Option<String>,
    /// Why it may not be removed, when somebody locked it.
    pub locked: Option<String>,
    /// Whether its folder is gone.
    pub missing: bool,
}

impl Repo {
    /// Makes a worktree of `branch` at `path`: a new branch at `base`, or the branch as it is
    /// when there is one. One that is there already, on this branch, is answered as it is.
    ///
    /// # Errors
    /// [`Error::PathTaken`], the branch is checked out elsewhere, or there is no such base.
    pub async fn worktree_add(&self, path: &Path, branch: &str, base: &str) -> Result<Self> {
        let worktree = self.add(path, branch, base).await?;
        if worktree.own_branch().as_deref() != Some(branch) {
            let path = worktree.git_dir().join(OWN_BRANCH);
            std::fs::write(&path, branch).map_err(|source| Error::File {
                attempted: "write",
                path,
                source,
            })?;
        }
        Ok(worktree)
    }

    /// The branch this worktree was made for; none when it was not made here.
    #[must_use]
    pub fn own_branch(&self) -> Option<String> {
        own_branch(self.git_dir())
    }

    async fn add(&self, path: &Path, branch: &str, base: &str) -> Result<Self> {
        valid_branch(branch)?;
        call::revision(base)?;
        self.discard_half_made(path).await?;
        let turn = turn(self.common_dir());
        let _adding = turn.read().await;
        if let Some(there) = self.already_there(path, branch)? {
            return Ok(there);
        }
        let attempted = format!("add a worktree of {branch} at {}", path.display());
        let git = self.guarded().await?.marked(add_mark(self.common_dir()));
        let new = words(&["worktree", "add", "--quiet", "--no-track", "-b", branch], path, base);
        let output = git.attempt(&attempted, new).await?;
        if output.status.success() {
            return self.worktree(path);
        }
        if self.admin_of(path)?.is_some() && !path.exists() {
            self.forget_missing(path).await?;
        }
        if self.resolve(&format!("refs/heads/{branch}")).await?.is_none() {
            if self.resolve(base).await?.is_none() {
                return Err(git.failure(&attempted, &output));
            }
            let new =
                words(&["worktree", "add", "--quiet", "--no-track", "-b", branch], path, base);
            git.run(&attempted, new).await?;
        } else {
            git.run(&attempted, words(&["worktree", "add", "--quiet"], path, branch)).await?;
        }
        self.worktree(path)
    }

    /// The handle of a worktree of this repository, found in the repository's own records: the
    /// `.git` file in the worktree is not believed.
    ///
    /// # Errors
    /// [`Error::NotAWorktree`].
    pub fn worktree(&self, path: &Path) -> Result<Self> {
        let git_dir = self
            .admin_of(path)?
            .filter(|_| path.is_dir())
            .ok_or_else(|| Error::NotAWorktree { path: path.to_owned() })?;
        Ok(Self::at(canonical(path), git_dir, self.common_dir().to_owned()))
    }

    /// Every checkout of the repository, the main one first.
    ///
    /// # Errors
    /// Git could not be asked.
    pub async fn worktree_list(&self) -> Result<Vec<Worktree>> {
        let args = ["worktree", "list", "--porcelain", "-z"];
        let output = self.plain().run("list the worktrees", args).await?;
        Ok(parse(&output.stdout))
    }

    /// Removes a worktree; one that is not there is removed already. When it holds anything
    /// that is not committed (untracked files included), or its commit is in no other branch,
    /// that is saved first and the name it got is answered. Its branch stays. Ignored files go.
    ///
    /// # Errors
    /// [`Error::Kept`] when it holds a repository of its own, or somebody locked it.
    pub async fn worktree_remove(&self, path: &Path) -> Result<Option<String>> {
        let Some(admin) = self.admin_of(path)? else {
            let taken = std::fs::symlink_metadata(path).is_ok();
            return if taken {
                Err(Error::NotAWorktree { path: path.to_owned() })
            } else {
                Ok(None)
            };
        };
        if let Ok(reason) = std::fs::read_to_string(admin.join("locked")) {
            let why = format!("it is locked ({})", reason.trim());
            return Err(Error::Kept { path: path.to_owned(), why });
        }
        if !path.is_dir() {
            return self.forget_missing(path).await;
        }
        let saved = self.worktree(path)?.save_unfinished().await?;
        self.remove_folder(path).await?;
        Ok(saved)
    }

    /// Removes the folder of a worktree whose work is saved.
    pub(super) async fn remove_folder(&self, path: &Path) -> Result<()> {
        let attempted = format!("remove the worktree {}", path.display());
        let args = words(&["worktree", "remove", "--force"], path, "");
        let output = self.plain().attempt(&attempted, &args).await?;
        if !output.status.success() {
            // Git refuses a worktree whose `.git` file was deleted or replaced.
            remove_tree(path)?;
            self.plain().run(&attempted, &args).await?;
        }
        Ok(())
    }

    /// Saves under `refs/orchflow/saved/` what would be lost with this worktree: uncommitted
    /// files, or a commit that no other branch holds. Answers the name, if there was anything.
    ///
    /// # Errors
    /// [`Error::Kept`] when it holds a repository of its own whose work cannot be saved here.
    pub async fn save_unfinished(&self) -> Result<Option<String>> {
        let git = self.guarded().await?;
        let state = self.state_by(&git).await?;
        self.refuse_inner(&git, &state).await?;
        let branch = state.branch.map(|branch| format!("refs/heads/{branch}"));
        let commit = match &state.head {
            None if state.entries.is_empty() => return Ok(None),
            Some(head) if state.entries.is_empty() => {
                if self.is_held(head, branch.as_deref()).await? {
                    return Ok(None);
                }
                head.clone()
            }
            _ => self.snapshot("Work that was not committed").await?,
        };
        self.save_ref(RefKind::Saved, &self.saved_name(&commit), &commit).await.map(Some)
    }

    /// Submodules of a linked worktree live in its own folder of git's and go with it.
    pub(super) async fn submodules_are_clean(&self, git: &call::Git<'_>) -> Result<()> {
        let output = git.run("list the submodules", ["ls-files", "--stage", "-z"]).await?;
        for field in call::fields(&output.stdout).filter(|field| field.starts_with(b"160000 ")) {
            let mut parts = field.splitn(2, |byte| *byte == b'\t');
            let recorded = call::text(parts.next().unwrap_or_default());
            let name = call::path(parts.next().unwrap_or_default());
            let folder = self.root().join(&name);
            if !folder.join(".git").exists() {
                continue;
            }
            let state = Box::pin(Self::open(&folder)).await?.state().await?;
            let same = state.head.is_some_and(|head| recorded.contains(&head));
            if !state.entries.is_empty() || !same {
                let why = format!("the submodule {} has work of its own", name.display());
                return Err(Error::Kept { path: self.root().to_owned(), why });
            }
        }
        Ok(())
    }

    /// Removes the record of a worktree whose folder is gone; what was staged there is saved.
    async fn forget_missing(&self, path: &Path) -> Result<Option<String>> {
        let Some(admin) = self.admin_of(path)? else { return Ok(None) };
        let gone = Self::at(self.root().to_owned(), admin, self.common_dir().to_owned());
        let mut saved = None;
        if let Some(head) = gone.resolve("HEAD").await? {
            let git = gone.plain();
            let same = ["diff-index", "--cached", "--quiet", "HEAD", "--"];
            let indexed = gone.git_dir().join("index").exists();
            let commit = if !indexed || git.attempt("compare", same).await?.status.success() {
                head
            } else {
                let message = "Work that was staged in a worktree that is gone";
                gone.commit_index(&git, Some(&head), message).await?
            };
            if !self.is_held(&commit, None).await? {
                let name = gone.saved_name(&commit);
                saved = Some(self.save_ref(RefKind::Saved, &name, &commit).await?);
            }
        }
        let attempted = format!("forget the worktree {}", path.display());
        self.plain().run(&attempted, words(&["worktree", "remove", "--force"], path, "")).await?;
        Ok(saved)
    }

    /// A name for what is saved of this worktree: its folder's and the start of the commit's.
    pub(super) fn saved_name(&self, commit: &str) -> String {
        let folder = self.git_dir().file_name().unwrap_or(OsStr::new("checkout")).to_string_lossy();
        let letter = |letter: char| {
            if letter.is_alphanumeric() || "-_".contains(letter) { letter } else { '-' }
        };
        let folder: String = folder.trim_start_matches(['-', '.']).chars().map(letter).collect();
        format!("{folder}-{}", commit.get(..12).unwrap_or(commit))
    }

    fn already_there(&self, path: &Path, branch: &str) -> Result<Option<Self>> {
        let Ok(mut files) = std::fs::read_dir(path) else { return Ok(None) };
        let taken = |taken_by: String| Error::PathTaken { path: path.to_owned(), taken_by };
        let Some(admin) = self.admin_of(path)? else {
            return match files.next() {
                None => Ok(None),
                Some(_) => Err(taken("the folder is there and not empty".to_owned())),
            };
        };
        let head = std::fs::read_to_string(admin.join("HEAD")).unwrap_or_default();
        if admin.join("locked").exists() {
            return Err(taken("a worktree is there that is locked or half made".to_owned()));
        }
        // An agent that went to another branch is brought back by who resets or commits.
        let own = own_branch(&admin).as_deref() == Some(branch);
        if !own && head.trim_end() != format!("ref: refs/heads/{branch}") {
            return Err(taken("a worktree of another branch is there".to_owned()));
        }
        let there = self.worktree(path)?;
        // Killed while it was removed, or meddled with: the link back must be right.
        there.link_again()?;
        Ok(Some(there))
    }
}

pub(super) fn words(before: &[&str], path: &Path, after: &str) -> Vec<OsString> {
    let mut words: Vec<OsString> = before.iter().map(|word| (*word).into()).collect();
    words.extend(["--".into(), path.into()]);
    words.extend(Some(after).filter(|after| !after.is_empty()).map(OsString::from));
    words
}

fn parse(bytes: &[u8]) -> Vec<Worktree> {
    let mut list: Vec<Worktree> = Vec::new();
    for field in call::fields(bytes) {
        let space = field.iter().position(|byte| *byte == b' ').unwrap_or(field.len());
        let (key, value) = (&field[..space], field.get(space + 1..).unwrap_or_default());
        if key == b"worktree" {
            let path = call::path(value);
            let missing = !path.exists();
            list.push(Worktree { path, branch: None, head: None, locked: None, missing });
        }
        let Some(worktree) = list.last_mut() else { continue };
        let text = call::text(value);
        match key {
            b"HEAD" if text.bytes().any(|digit| digit != b'0') => worktree.head = Some(text),
            b"branch" => {
                worktree.branch = text.strip_prefix("refs/heads/").map(str::to_owned);
            }
            b"locked" => worktree.locked = Some(text),
            _ => {}
        }
    }
    list
}
