//! Copies of the whole database, made before its schema is changed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use orchflow_types::Timestamp;
use rusqlite::{Connection, OpenFlags};

use crate::{Error, Trouble};

/// Copies the database at `path` to `NAME.backup-VERSION-MOMENT` beside it.
///
/// The copy is written under another name first: what bears the name of a backup is whole.
pub(crate) fn make(path: &Path, version: u32, at: Timestamp) -> Result<PathBuf, Error> {
    let moment = at.to_string().replace(':', "-");
    let backup = beside(path, &format!(".backup-{version}-{moment}"));
    let unfinished = beside(path, ".backup.unfinished");
    let made = copy(path, &unfinished)
        .and_then(|()| finish(&unfinished, &backup).map_err(|error| file_error(&backup, error)));
    if let Err(error) = made {
        let _ = fs::remove_file(&unfinished); // what is told is why the copy failed
        return Err(Error::Backup { path: path.to_owned(), source: Box::new(error) });
    }
    Ok(backup)
}

/// The newest backup beside `path`.
pub(crate) fn newest(path: &Path) -> Option<PathBuf> {
    let start = format!("{}.backup-", path.file_name()?.to_str()?);
    let moment = |file: &Path| {
        let rest = file.file_name()?.to_str()?.strip_prefix(&start)?;
        rest.split_once('-').map(|(_, moment)| moment.to_owned())
    };
    let files = fs::read_dir(path.parent()?).ok()?.flatten().map(|entry| entry.path());
    files.filter_map(|file| Some((moment(&file)?, file))).max().map(|(_, file)| file)
}

fn copy(path: &Path, to: &Path) -> Result<(), Error> {
    let _ = fs::remove_file(to); // left by a process that was killed half way
    private(to).map_err(|error| file_error(to, error))?;
    // A connection of its own: it sees the state before the migration's transaction.
    let from = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut into = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let backup = rusqlite::backup::Backup::new(&from, &mut into)?;
    backup.run_to_completion(1024, Duration::ZERO, None)?;
    Ok(())
}

/// Makes an empty file that only its owner can read: rows may hold what a person wrote.
pub(crate) fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

fn finish(unfinished: &Path, backup: &Path) -> io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    fs::rename(unfinished, backup)?;
    backup.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn file_error(path: &Path, error: io::Error) -> Error {
    let trouble = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Trouble::Full,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Trouble::ReadOnly,
        _ => Trouble::Other,
    };
    Error::Open { path: path.to_owned(), trouble, backup: None, source: Some(Arc::new(error)) }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
