//! Git's own folders for worktrees: which belongs to which path, and the link back.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{Repo, valid_branch};
use crate::{Error, Result};

impl Repo {
    /// Writes the worktree's `.git` file anew when it is not what git wrote there.
    pub(super) fn link_again(&self) -> Result<()> {
        let path = self.root().join(".git");
        let line = [b"gitdir: ", self.git_dir().as_os_str().as_encoded_bytes(), b"\n"].concat();
        let meta = path.symlink_metadata().ok();
        if meta.as_ref().is_some_and(std::fs::Metadata::is_dir) {
            let why = "its .git is a repository of its own".to_owned();
            return Err(Error::Kept { path: self.root().to_owned(), why });
        }
        let is_file = meta.as_ref().is_some_and(std::fs::Metadata::is_file);
        if is_file && std::fs::read(&path).is_ok_and(|text| text == line) {
            return Ok(());
        }
        if meta.is_some_and(|meta| meta.is_symlink()) {
            let _ = std::fs::remove_file(&path); // what it leads to must not be written
        }
        std::fs::write(&path, line).map_err(|source| Error::File {
            attempted: "write",
            path,
            source,
        })
    }

    /// Git's own folder for the worktree at `path`, whether its folder is there or not.
    pub(super) fn admin_of(&self, path: &Path) -> Result<Option<PathBuf>> {
        let wanted = canonical(path).join(".git");
        Ok(self.admins()?.into_iter().find(|(_, points_to)| points_to.as_ref() == Some(&wanted)))
            .map(|found| found.map(|(admin, _)| admin))
    }

    /// Git's folders for linked worktrees, and the `.git` file each says is its own.
    pub(super) fn admins(&self) -> Result<Vec<(PathBuf, Option<PathBuf>)>> {
        let dir = self.common_dir().join("worktrees");
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(Error::File { attempted: "read", path: dir, source }),
        };
        let admins = entries.filter_map(|entry| {
            let admin = entry.ok()?.path();
            let text = std::fs::read(admin.join("gitdir")).ok();
            let file = text.map(|text| admin.join(OsStr::from_bytes(text.trim_ascii_end())));
            let file = file.filter(|file| *file != admin.join(""));
            let points_to = file.map(|file| match (file.parent(), file.file_name()) {
                (Some(folder), Some(name)) => canonical(folder).join(name),
                _ => file,
            });
            Some((admin, points_to))
        });
        Ok(admins.collect())
    }
}

/// The file in git's folder for a worktree that names the branch it was made for.
pub(super) const OWN_BRANCH: &str = "orchflow-branch";

/// The branch a worktree was made for, as its folder of git's names it.
pub(super) fn own_branch(admin: &Path) -> Option<String> {
    std::fs::read_to_string(admin.join(OWN_BRANCH)).ok().filter(|name| valid_branch(name).is_ok())
}

/// The path without links, as far as it is there.
pub(super) fn canonical(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => canonical(parent).join(name),
        _ => path.to_owned(),
    }
}
