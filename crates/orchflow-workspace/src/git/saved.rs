//! Refs that keep what would otherwise be lost, where no branch list shows them.

use super::branch::{valid_branch, valid_ref_name};
use super::{Repo, call};
use crate::{Error, Result};

/// What a hidden ref is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefKind {
    /// Work that is in no branch: `refs/orchflow/saved/NAME`. Never overwritten.
    Saved,
    /// What a run starts from: `refs/orchflow/base/NAME`.
    Base,
}

impl RefKind {
    const fn folder(self) -> &'static str {
        match self {
            Self::Saved => "refs/orchflow/saved/",
            Self::Base => "refs/orchflow/base/",
        }
    }
}

/// A commit that a hidden ref keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its name, without the folder.
    pub name: String,
    /// The commit.
    pub commit: String,
    /// When it was committed, in seconds since 1970.
    pub seconds: i64,
    /// The first line of its message.
    pub subject: String,
}

impl Repo {
    /// Keeps a commit under a hidden ref and answers the name it got: with [`RefKind::Saved`]
    /// a name that keeps another commit already gets a number.
    ///
    /// # Errors
    /// [`Error::BadName`], or git could not write the ref.
    pub async fn save_ref(&self, kind: RefKind, name: &str, commit: &str) -> Result<String> {
        valid_ref_name(name)?;
        call::revision(commit)?;
        let attempted = format!("keep {commit} as {}{name}", kind.folder());
        if kind == RefKind::Base {
            let full = format!("{}{name}", kind.folder());
            self.plain().run(&attempted, ["update-ref", &full, commit]).await?;
            return Ok(name.to_owned());
        }
        let (wanted, mut number) = (self.resolve(commit).await?, 1_u32);
        loop {
            let free = if number == 1 { name.to_owned() } else { format!("{name}-{number}") };
            let full = format!("{}{free}", kind.folder());
            // An empty old value: only if there is no such ref.
            let args = ["update-ref", &full, commit, ""];
            let output = self.plain().attempt(&attempted, args).await?;
            if output.status.success() {
                return Ok(free);
            }
            match self.resolve(&full).await? {
                Some(kept) if Some(&kept) == wanted.as_ref() => return Ok(free),
                Some(_) => number += 1,
                None => return Err(self.plain().failure(&attempted, &output)),
            }
        }
    }

    /// What is kept, the newest first.
    ///
    /// # Errors
    /// Git could not be asked.
    pub async fn list_saved(&self, kind: RefKind) -> Result<Vec<Saved>> {
        let format = "--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(subject)%00";
        let args = ["for-each-ref", "--sort=-committerdate", format, kind.folder()];
        let output = self.plain().run("list what is saved", args).await?;
        let text = output.text();
        let saved = text.lines().filter_map(|line| {
            let mut fields = line.split('\0');
            Some(Saved {
                name: fields.next()?.strip_prefix(kind.folder())?.to_owned(),
                commit: fields.next()?.to_owned(),
                seconds: fields.next()?.parse().ok()?,
                subject: fields.next()?.to_owned(),
            })
        });
        Ok(saved.collect())
    }

    /// Makes a branch of what was saved under a name and answers its commit; the ref stays.
    ///
    /// # Errors
    /// [`Error::NoSaved`], [`Error::BranchExists`] when it holds another commit.
    pub async fn restore_saved(&self, name: &str, branch: &str) -> Result<String> {
        valid_ref_name(name)?;
        valid_branch(branch)?;
        let full = format!("{}{name}", RefKind::Saved.folder());
        let Some(commit) = self.resolve(&full).await? else {
            return Err(Error::NoSaved { name: name.to_owned() });
        };
        self.branch_create(branch, &commit).await?;
        Ok(commit)
    }

    /// Forgets a hidden ref; one that is not there is forgotten already.
    ///
    /// # Errors
    /// Git could not be asked.
    pub async fn drop_ref(&self, kind: RefKind, name: &str) -> Result<()> {
        valid_ref_name(name)?;
        let full = format!("{}{name}", kind.folder());
        self.plain().run("forget a saved state", ["update-ref", "-d", &full]).await.map(drop)
    }
}
