//! What changed between two states of a repository.

use std::path::{Path, PathBuf};

use super::{Repo, call};
use crate::Result;

/// The most bytes of a difference that are kept; what is longer is for a pager, not a prompt.
const DIFF_LIMIT: usize = 4 << 20;

/// The later side of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffTo<'a> {
    /// A commit, branch or other revision.
    Revision(&'a str),
    /// The files of the checkout as they are; untracked ones are not in it.
    WorkingTree,
}

/// A difference as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// A unified diff, or a table of files when `stat` was asked for.
    pub text: String,
    /// Whether the end was left out.
    pub cut: bool,
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the root of the checkout.
    pub path: PathBuf,
    /// `A` added, `M` modified, `D` deleted, `T` another type, `U` unmerged.
    pub status: char,
}

impl Repo {
    /// The difference between a revision and `to`, limited to `paths` when there are any.
    ///
    /// # Errors
    /// A revision is not there, or git could not be asked.
    pub async fn diff(
        &self,
        from: &str,
        to: DiffTo<'_>,
        paths: &[PathBuf],
        stat: bool,
    ) -> Result<Diff> {
        let form = if stat { "--stat" } else { "--patch" };
        let mut text = self.diff_bytes(&[form], from, to, paths).await?;
        let cut = text.len() > DIFF_LIMIT;
        text.truncate(DIFF_LIMIT);
        Ok(Diff { text: call::text(&text), cut })
    }

    /// The patch from one revision to another, at most `limit` bytes of it. A snapshot as the
    /// later one shows the files of the checkout as they are, untracked ones included.
    ///
    /// # Errors
    /// A revision is not there, or git could not be asked.
    pub async fn patch(&self, from: &str, to: &str, limit: usize) -> Result<Diff> {
        call::revision(from)?;
        call::revision(to)?;
        let args = ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--patch"];
        let args = args.into_iter().chain(["--end-of-options", from, to, "--"]);
        // A few bytes more tell whether something was left out.
        let git = self.guarded().await?.at_most(limit.saturating_add(4));
        let mut bytes = git.run("compare two states", args).await?.stdout;
        let cut = bytes.len() > limit;
        if cut {
            let mut end = limit;
            while end > limit.saturating_sub(3) && bytes[end] & 0b1100_0000 == 0b1000_0000 {
                end -= 1; // not in the middle of a letter
            }
            bytes.truncate(end);
        }
        Ok(Diff { text: call::text(&bytes), cut })
    }

    /// The paths that differ between a revision and `to`; a renamed file is two of them.
    ///
    /// # Errors
    /// A revision is not there, or git could not be asked.
    pub async fn changes(&self, from: &str, to: DiffTo<'_>) -> Result<Vec<Change>> {
        let form = ["--name-status", "-z", "--no-renames"];
        let bytes = self.diff_bytes(&form, from, to, &[]).await?;
        let mut fields = call::fields(&bytes);
        let mut changes = Vec::new();
        while let (Some(status), Some(path)) = (fields.next(), fields.next()) {
            let status = char::from(status.first().copied().unwrap_or(b'M'));
            changes.push(Change { path: call::path(path), status });
        }
        Ok(changes)
    }

    async fn diff_bytes(
        &self,
        form: &[&str],
        from: &str,
        to: DiffTo<'_>,
        paths: &[PathBuf],
    ) -> Result<Vec<u8>> {
        call::revision(from)?;
        let mut args: Vec<&str> = vec!["diff", "--no-ext-diff", "--no-textconv", "--no-color"];
        args.extend(form);
        args.extend(["--end-of-options", from]);
        if let DiffTo::Revision(to) = to {
            call::revision(to)?;
            args.push(to);
        }
        args.push("--");
        let specs: Vec<_> = paths.iter().map(|path| pathspec("top,literal", path)).collect();
        let args = args.into_iter().map(Into::into).chain(specs);
        let output = self.guarded().await?.run("compare two states", args).await?;
        Ok(output.stdout)
    }

    /// Whether everything in `ancestor` is in `descendant`.
    ///
    /// # Errors
    /// A revision is not there, or git could not be asked.
    pub async fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool> {
        call::revision(ancestor)?;
        call::revision(descendant)?;
        let git = self.plain();
        let attempted = "compare two commits";
        let args = ["merge-base", "--is-ancestor", ancestor, descendant];
        let output = git.attempt(attempted, args).await?;
        match output.status.code {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(git.failure(attempted, &output)),
        }
    }
}

/// A path that git takes letter by letter, from the root of the checkout.
pub(super) fn pathspec(magic: &str, path: &Path) -> std::ffi::OsString {
    let mut spec = std::ffi::OsString::from(format!(":({magic})"));
    spec.push(path);
    spec
}
