//! What the refs of a repository stand at: all worktrees share them, so that whoever works in
//! one can move those of all others.

use std::collections::BTreeMap;

use super::Repo;
use crate::Result;

/// Refs that belong to people, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refs {
    /// The branch that is checked out; none when HEAD is detached.
    pub branch: Option<String>,
    /// The commit that is checked out.
    pub head: String,
    /// Full names of branches (but for those below `orchflow/`), tags and the stash, with the
    /// object each stands at.
    pub refs: BTreeMap<String, String>,
}

impl Repo {
    /// Branches, tags and the stash, and what is checked out here.
    ///
    /// # Errors
    /// [`crate::Error::Empty`] when there is no commit yet, or git could not be asked.
    pub async fn refs(&self) -> Result<Refs> {
        let format = "--format=%(HEAD)%(refname) %(objectname)";
        let args = ["for-each-ref", format, "refs/heads", "refs/tags", "refs/stash"];
        let output = self.plain().run("list the refs", args).await?;
        let (mut refs, mut branch) = (BTreeMap::new(), None);
        for line in output.text().lines() {
            let Some((name, at)) = line.get(1..).and_then(|line| line.split_once(' ')) else {
                continue;
            };
            if line.starts_with('*') {
                branch = name.strip_prefix("refs/heads/").map(str::to_owned);
            }
            if !name.starts_with("refs/heads/orchflow/") {
                refs.insert(name.to_owned(), at.to_owned());
            }
        }
        Ok(Refs { branch, head: self.head().await?, refs })
    }
}
