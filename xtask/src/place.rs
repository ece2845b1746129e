//! Where things are: the repository's root, cargo, the folder of built things.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use cargo_metadata::{Metadata, MetadataCommand};

/// The repository's root, absolute: the folder above this crate's.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable for what it runs, which stays true in a second checkout
    // that shares the folder of built things; the constant serves a bare call.
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}

/// The cargo that runs us.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A cargo command at the repository's root.
pub(crate) fn cargo_command(words: &[&str]) -> Command {
    let mut command = Command::new(cargo());
    command.args(words).current_dir(root());
    command
}

/// The workspace at `root` as cargo sees it, without what lies outside it.
pub(crate) fn metadata(root: &Path) -> anyhow::Result<Metadata> {
    MetadataCommand::new()
        .cargo_path(cargo())
        .current_dir(root)
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .with_context(|| format!("cannot read the workspace at {}", root.display()))
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> anyhow::Result<PathBuf> {
    Ok(metadata(&root())?.target_directory.into_std_path_buf())
}

/// The first executable file called `program` on `PATH`.
pub(crate) fn find_program(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| is_executable(file))
}

/// Whether a file is there and may be run.
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
