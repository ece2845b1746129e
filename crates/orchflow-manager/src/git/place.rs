//! Where worktrees are, and which repository each belongs to.
//!
//! A worktree is `WORKTREES/PROJECT/NAME`. Beside it `WORKTREES/PROJECT/.repository` says
//! whose it is: the `.git` file inside a worktree is an agent's to change, and not believed.

use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use orchflow_workspace::Error as Refused;
use orchflow_workspace::git::Repo;

use crate::manager::folder;
use crate::{Error, Manager};

/// The file that holds the path of the repository a folder of worktrees belongs to.
const REPOSITORY: &str = ".repository";

/// The checkout that `dir` is in: a worktree of ours, or the user's own.
pub(super) async fn open(cx: &Manager, dir: &str) -> Result<Repo, Error> {
    match ours(cx, folder(dir)?) {
        Some((project, path)) => linked(&project, &path).await,
        None => Ok(Repo::open(Path::new(dir)).await?),
    }
}

/// The worktree of ours that `dir` is in.
pub(super) async fn worktree(cx: &Manager, dir: &str) -> Result<Repo, Error> {
    let path = Path::new(dir);
    if !path.is_absolute() {
        return Err(Error::RelativePath { path: path.to_owned() });
    }
    match ours(cx, path) {
        Some((project, path)) => linked(&project, &path).await,
        None => Err(Error::NotOurWorktree { path: path.to_owned() }),
    }
}

/// The folder of the worktrees of a repository.
pub(super) fn project(cx: &Manager, repo: &Repo) -> PathBuf {
    real(&cx.options().worktrees).join(repo.folder_name())
}

/// The path of a worktree to be made, with all around it that must be there first.
pub(super) fn make(cx: &Manager, repo: &Repo, name: &str) -> Result<PathBuf, Error> {
    let plain = |c: char| !c.is_control() && c != '/';
    let fits = !name.is_empty() && name.len() <= 200 && !name.starts_with(['.', '-']);
    if !fits || !name.chars().all(plain) {
        return Err(Error::BadParam { given: name.to_owned(), what: "the name of a worktree" });
    }
    let project = project(cx, repo);
    let record = project.join(REPOSITORY);
    let place = repo.common_dir().as_os_str().as_bytes();
    if std::fs::read(&record).is_ok_and(|there| there == place) {
        return Ok(project.join(name));
    }
    let failed = |path: PathBuf| {
        move |source| Error::from(Refused::File { attempted: "write", path, source })
    };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&project);
    made.map_err(failed(project.clone()))?;
    // Written whole or not at all: a crash leaves no half of a path.
    let fresh = project.join(format!("{REPOSITORY}.new"));
    std::fs::write(&fresh, place).map_err(failed(fresh.clone()))?;
    std::fs::rename(&fresh, &record).map_err(failed(record))?;
    Ok(project.join(name))
}

/// A path that may be a worktree of this repository made here, whether it is there or not.
pub(super) fn own_path(cx: &Manager, repo: &Repo, path: &str) -> Result<PathBuf, Error> {
    let path = Path::new(path);
    if !path.is_absolute() {
        return Err(Error::RelativePath { path: path.to_owned() });
    }
    let project = project(cx, repo);
    match ours(cx, path) {
        Some((of, whole)) if of == project && whole == real(path) => Ok(whole),
        _ => Err(Error::NotOurWorktree { path: path.to_owned() }),
    }
}

/// The project's folder and the worktree's root that a path is in.
fn ours(cx: &Manager, path: &Path) -> Option<(PathBuf, PathBuf)> {
    let worktrees = real(&cx.options().worktrees);
    let path = real(path);
    let mut below = path.strip_prefix(&worktrees).ok()?.components();
    let (Component::Normal(project), Component::Normal(name)) = (below.next()?, below.next()?)
    else {
        return None;
    };
    let project = worktrees.join(project);
    let root = project.join(name);
    (!below.any(|part| part == Component::ParentDir)).then_some((project, root))
}

async fn linked(project: &Path, path: &Path) -> Result<Repo, Error> {
    let unknown = || Error::NotOurWorktree { path: path.to_owned() };
    let record = std::fs::read(project.join(REPOSITORY)).map_err(|_| unknown())?;
    let common = Path::new(OsStr::from_bytes(&record));
    Ok(Repo::of(common, path)?)
}

/// The path without links, as far as it is there.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real(parent).join(name),
        _ => path.to_owned(),
    }
}
