//! What a killed git leaves behind, put right so that the next call works.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orchflow_runtime::{clock, process};
use tokio::sync::RwLock;

use super::Repo;
use super::admin::canonical;
use super::snapshot::scratch_dir;
use crate::{Error, Result};

/// How long a call that a dead process left behind has to take its locks away: they may be
/// those of the whole repository.
const GRACE: Duration = Duration::from_secs(5);
/// Lock files of the whole repository and of the user's checkout.
const SHARED: [&str; 5] =
    ["packed-refs.lock", "HEAD.lock", "index.lock", "config.lock", "ORIG_HEAD.lock"];

/// What [`Repo::worktree_repair`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repaired {
    /// Half-made worktrees that were removed; nobody had worked in them.
    pub removed: Vec<PathBuf>,
    /// Lock files of git commands that are dead.
    pub unlocked: Vec<PathBuf>,
}

impl Repo {
    /// Removes worktrees under the folder `within` that a killed `worktree add` left half
    /// made, and the lock files that killed calls left in worktrees there and at branches and
    /// refs called `orchflow/…`. What is elsewhere is the user's and stays as it is, but for
    /// lock files of git's own from before the machine started: whoever had them is gone.
    ///
    /// Waits for worktrees this process is adding; adding calls that a dead process left
    /// behind are ended. Other git commands may not be under way in those worktrees.
    ///
    /// # Errors
    /// A file could not be read or removed.
    pub async fn worktree_repair(&self, within: &Path) -> Result<Repaired> {
        let turn = turn(self.common_dir());
        let _alone = turn.write().await;
        let mark = add_mark(self.common_dir());
        let _ = tokio::task::spawn_blocking(move || process::sweep_politely(&mark, GRACE)).await;
        let mut repaired = Repaired::default();
        let within = canonical(within);
        for (admin, points_to) in self.admins()? {
            match points_to.as_deref().and_then(Path::parent) {
                Some(path) if !path.starts_with(&within) => {}
                Some(path) if is_half_made(&admin) => {
                    discard(path, &admin)?;
                    repaired.removed.push(path.to_owned());
                }
                Some(_) => unlock(&admin, 1, &mut repaired.unlocked)?,
                // Killed before it was written whose it is: there can be no files yet.
                None if is_young(&admin) => {
                    remove_tree(&admin)?;
                    repaired.removed.push(admin);
                }
                None => {}
            }
        }
        for ours in ["refs/heads/orchflow", "refs/orchflow"] {
            unlock(&self.common_dir().join(ours), 8, &mut repaired.unlocked)?;
        }
        for shared in SHARED {
            let path = self.common_dir().join(shared);
            if is_from_before_the_start(&path) {
                gone(std::fs::remove_file(&path), &path)?;
                repaired.unlocked.push(path);
            }
        }
        remove_tree(&scratch_dir(self.common_dir()))?;
        Ok(repaired)
    }
}

impl Repo {
    /// Removes what a killed call left at `path`, when that is a half-made worktree and no
    /// call of this process is making it.
    pub(super) async fn discard_half_made(&self, path: &Path) -> Result<()> {
        let Some(admin) = self.admin_of(path)?.filter(|admin| is_half_made(admin)) else {
            return Ok(());
        };
        let turn = turn(self.common_dir());
        let _alone = turn.write().await;
        // It may have become whole while this waited.
        if is_half_made(&admin) { discard(&canonical(path), &admin) } else { Ok(()) }
    }
}

/// The files first: as long as git's own folder for it is there, a repair finds the rest.
fn discard(path: &Path, admin: &Path) -> Result<()> {
    remove_tree(path)?;
    remove_tree(admin)
}

/// `git worktree add` locks what it makes with this word until it is whole.
fn is_half_made(admin: &Path) -> bool {
    let locked = std::fs::read_to_string(admin.join("locked"));
    // An empty lock file is one that was not written to the end; `git worktree lock` without
    // a reason leaves an empty one, too, but never in a worktree without an index.
    locked.is_ok_and(|reason| match reason.trim() {
        "initializing" => true,
        "" => !admin.join("index").exists(),
        _ => false,
    }) || !admin.join("HEAD").exists() && is_young(admin)
}

/// Whether an admin folder holds nothing but what `git worktree add` writes first.
fn is_young(admin: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(admin) else { return false };
    let first = ["locked", "gitdir", "commondir", "HEAD", "HEAD.lock"];
    files.flatten().all(|file| first.iter().any(|name| file.file_name() == *name))
}

/// Removes `*.lock` files, at most `depth` folders deep.
pub(super) fn unlock(dir: &Path, depth: u32, unlocked: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth > 1 {
            unlock(&path, depth - 1, unlocked)?;
        } else if kind.is_file() && path.extension().is_some_and(|end| end == "lock") {
            gone(std::fs::remove_file(&path), &path)?;
            unlocked.push(path);
        }
    }
    Ok(())
}

/// Whether a file was last written before the machine was started.
fn is_from_before_the_start(path: &Path) -> bool {
    let written = path.symlink_metadata().ok().and_then(|meta| meta.modified().ok());
    written.zip(clock::system_start()).is_some_and(|(written, start)| written < start)
}

pub(super) fn remove_tree(path: &Path) -> Result<()> {
    gone(std::fs::remove_dir_all(path), path)
}

fn gone(result: std::io::Result<()>, path: &Path) -> Result<()> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(|source| Error::File {
            attempted: "remove",
            path: path.to_owned(),
            source,
        }),
    }
}

/// How the marks of calls begin that add worktrees to one repository.
pub(super) fn add_mark(common_dir: &Path) -> String {
    let hash = blake3::hash(common_dir.as_os_str().as_encoded_bytes()).to_hex();
    format!("git-worktree-add:{hash}:")
}

/// Adding worktrees takes it to read, repairing to write: repair never meets a live add.
pub(super) fn turn(common_dir: &Path) -> Arc<RwLock<()>> {
    static TURNS: Mutex<Option<HashMap<PathBuf, Arc<RwLock<()>>>>> = Mutex::new(None);
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    turns.get_or_insert_default().entry(common_dir.to_owned()).or_default().clone()
}
