//! A folder that is looked at, and the commands that are found for it.

use std::io::Read;
use std::path::{Path, PathBuf};

use orchflow_types::AgentType;
use orchflow_types::project::ProjectCommand;

use super::LIMIT;

/// A folder of a project.
pub(super) struct Folder {
    path: PathBuf,
    /// Relative to the project's root; empty is the root.
    pub(super) name: String,
}

impl Folder {
    pub(super) fn new(root: &Path, name: &str) -> Self {
        Self { path: root.join(name), name: name.to_owned() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The first of these that is there.
    pub(super) fn first<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// How a person would name a file in it.
    pub(super) fn label(&self, name: &str) -> String {
        if self.name.is_empty() { name.to_owned() } else { format!("{}/{name}", self.name) }
    }

    /// The text of a regular file; none when there is none, else why it cannot be read.
    pub(super) fn read(&self, name: &str) -> Option<Result<String, String>> {
        let path = self.path(name);
        if !path.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        let read = std::fs::File::open(&path)
            .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
        Some(match read {
            Err(error) => Err(format!("{} cannot be read: {error}", self.label(name))),
            Ok(_) if bytes.len() as u64 > LIMIT => {
                Err(format!("{} is longer than {LIMIT} bytes", self.label(name)))
            }
            Ok(_) => String::from_utf8(bytes)
                .map_err(|_| format!("{} is not UTF-8 text", self.label(name))),
        })
    }

    /// Names of the entries of a folder in it, at most 1,000.
    pub(super) fn entries(&self, name: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(name)) else { return Vec::new() };
        let names = entries.flatten().take(1000).filter_map(|e| e.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    }

    /// A command for it, sure, available and without a fix, until told otherwise.
    pub(super) fn command(
        &self,
        purpose: AgentType,
        framework: &str,
        argv: &[&str],
        reason: impl Into<String>,
    ) -> ProjectCommand {
        ProjectCommand {
            purpose,
            argv: words(argv),
            dir: self.name.clone(),
            framework: framework.to_owned(),
            fix_argv: Vec::new(),
            reason: reason.into(),
            confidence: 0.95,
            available: argv.first().is_some_and(|program| runs(program)),
            install: None,
        }
    }
}

/// Whether a program is there to be run.
pub(super) fn runs(program: &str) -> bool {
    orchflow_runtime::env::find_program(program).is_some()
}

pub(super) fn words(argv: &[&str]) -> Vec<String> {
    argv.iter().map(|word| (*word).to_owned()).collect()
}
