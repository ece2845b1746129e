//! Branches and the commits on them.

use super::{RefKind, Repo, call};
use crate::{Error, Result};

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its name, all its digits.
    pub id: String,
    /// Its parents.
    pub parents: Vec<String>,
    /// Who wrote it: `NAME <EMAIL>`.
    pub author: String,
    /// When it was committed, in seconds since 1970.
    pub seconds: i64,
    /// The first line of its message.
    pub subject: String,
    /// The rest of its message.
    pub body: String,
}

impl Repo {
    /// Makes a branch at a revision; one that is there at the same commit is fine.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::BranchExists`], or there is no such revision.
    pub async fn branch_create(&self, branch: &str, at: &str) -> Result<()> {
        valid_branch(branch)?;
        let attempted = format!("make the branch {branch}");
        let full = format!("refs/heads/{branch}");
        let git = self.plain();
        let commit = self.resolve(at).await?;
        let Some(commit) = commit else {
            return Err(Error::BadName { what: "commit", given: at.to_owned() });
        };
        let args = ["update-ref", "-m", "branch: Created by orchflow", &full, &commit, ""];
        let output = git.attempt(&attempted, args).await?;
        if output.status.success() {
            return Ok(());
        }
        match self.resolve(&full).await? {
            Some(there) if there == commit => Ok(()),
            Some(_) => Err(Error::BranchExists { branch: branch.to_owned() }),
            None => Err(git.failure(&attempted, &output)),
        }
    }

    /// Deletes a branch; one that is not there is deleted already. Commits that would then be
    /// in no branch are saved first, and the name they got is answered.
    ///
    /// # Errors
    /// It is checked out somewhere, or git could not be asked.
    pub async fn branch_delete(&self, branch: &str) -> Result<Option<String>> {
        valid_branch(branch)?;
        let full = format!("refs/heads/{branch}");
        let Some(commit) = self.resolve(&full).await? else { return Ok(None) };
        let saved = if self.is_held(&commit, Some(&full)).await? {
            None
        } else {
            // Without slashes: a name can then never be the folder of another.
            Some(self.save_ref(RefKind::Saved, &branch.replace('/', "-"), &commit).await?)
        };
        let attempted = format!("delete the branch {branch}");
        self.plain().run(&attempted, ["branch", "-D", "--quiet", "--", branch]).await?;
        Ok(saved)
    }

    /// Whether a branch, tag, remote branch or saved ref other than `without` holds a commit.
    pub(super) async fn is_held(&self, commit: &str, without: Option<&str>) -> Result<bool> {
        let places = ["refs/heads", "refs/remotes", "refs/tags", "refs/orchflow/saved"];
        let args = ["for-each-ref", "--count=2", "--format=%(refname)", "--contains", commit];
        let args = args.into_iter().chain(places);
        let output = self.plain().run("look for a commit in the branches", args).await?;
        Ok(output.text().lines().any(|name| Some(name) != without))
    }

    /// Commits of a range (`A..B`, or one revision and all before it), the newest first.
    ///
    /// # Errors
    /// A revision is not there, or git could not be asked.
    pub async fn log(&self, range: &str, limit: u32) -> Result<Vec<Commit>> {
        call::revision(range)?;
        let count = format!("--max-count={limit}");
        let format = "--format=%H%x00%P%x00%an <%ae>%x00%ct%x00%s%x00%b%x00%x01";
        let args = ["log", "--no-show-signature", "--no-color", &count, format];
        let args = args.into_iter().chain(["--end-of-options", range, "--"]);
        let output = self.plain().run("read the log", args).await?;
        let text = call::text(&output.stdout);
        Ok(text.split("\0\u{1}").filter_map(commit).collect())
    }
}

fn commit(text: &str) -> Option<Commit> {
    let mut fields = text.trim_start_matches('\n').split('\0');
    Some(Commit {
        id: fields.next().filter(|id| !id.is_empty())?.to_owned(),
        parents: fields.next()?.split_whitespace().map(str::to_owned).collect(),
        author: fields.next()?.to_owned(),
        seconds: fields.next()?.parse().ok()?,
        subject: fields.next()?.to_owned(),
        body: fields.next()?.trim().to_owned(),
    })
}

/// Refuses what cannot be the name of a branch (git-check-ref-format(1)).
///
/// # Errors
/// [`Error::BadName`].
pub fn valid_branch(name: &str) -> Result<()> {
    if name == "HEAD" || name == "@" || !is_ref_name(name) {
        return Err(Error::BadName { what: "branch", given: name.to_owned() });
    }
    Ok(())
}

pub(super) fn valid_ref_name(name: &str) -> Result<()> {
    if !is_ref_name(name) {
        return Err(Error::BadName { what: "saved state", given: name.to_owned() });
    }
    Ok(())
}

fn is_ref_name(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let letter = |letter: char| !letter.is_control() && !" ~^:?*[\\".contains(letter);
    name.len() <= 200
        && !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && name.chars().all(letter)
        && name.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_git_would_refuse_or_misread_are_refused() {
        for good in ["main", "orchflow/run_1", "a.b/c@d", "ünï"] {
            assert!(valid_branch(good).is_ok(), "{good}");
        }
        let bad =
            ["", "-d", "a..b", "a b", "a/", "/a", "a.lock", ".a", "a/.b", "HEAD", "a\n", "a~1"];
        for bad in bad {
            assert!(valid_branch(bad).is_err(), "{bad}");
        }
    }
}
