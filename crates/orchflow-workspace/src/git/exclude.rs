//! Keeping our files out of git's sight without a change to a tracked file.

use std::io::Write;

use super::Repo;
use crate::{Error, Result};

impl Repo {
    /// Adds a pattern to `.git/info/exclude`, once; it holds for every worktree.
    ///
    /// # Errors
    /// The file could not be read or written.
    pub fn info_exclude(&self, pattern: &str) -> Result<()> {
        let path = self.common_dir().join("info/exclude");
        let failed = |attempted, source| Error::File { attempted, path: path.clone(), source };
        let text = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed("read", error)),
        };
        if text.split(|byte| *byte == b'\n').any(|line| line == pattern.as_bytes()) {
            return Ok(());
        }
        let line_open = text.last().is_some_and(|byte| *byte != b'\n');
        let line = format!("{}{pattern}\n", if line_open { "\n" } else { "" });
        let append = || {
            std::fs::create_dir_all(self.common_dir().join("info"))?;
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&path)?;
            file.write_all(line.as_bytes())
        };
        append().map_err(|source| failed("write", source))
    }
}
