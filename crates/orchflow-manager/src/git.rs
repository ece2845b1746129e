//! `git.*`: what is done to repositories, on the shapes of the protocol.
//!
//! What changes a worktree changes only worktrees that were made here, below the folder of
//! worktrees; the user's own checkout is only ever read, or fast-forwarded by [`land`].

mod place;

use orchflow_protocol::git::{
    CommitParams, CommitResult, DiffParams, DiffResult, DirParams, DirtyPath, LandParams,
    LandResult, MergeParams, MergeResult, RefsResult, RescueParams, RescueResult, SaveRefParams,
    SaveRefResult, Saved, SnapshotParams, StatusResult, Worktree, WorktreeAddParams,
    WorktreeAddResult, WorktreeListResult, WorktreeRemoveParams, WorktreeRemoveResult,
    WorktreeRepairResult, WorktreeResetParams, WorktreeResetResult,
};
use orchflow_types::Timestamp;
use orchflow_workspace::Error as Refused;
use orchflow_workspace::git::{
    DiffTo, FastForward, KeyedCommit, Leaving, Merge, Onto, RefKind, take_command, valid_branch,
};

use crate::{Error, Manager};

/// Bytes of a patch answered when nobody says how many.
const PATCH: u32 = 1 << 20;
/// The most bytes of a patch answered.
const MOST_PATCH: u32 = 8 << 20;
/// Where what is saved is kept.
const SAVED: &str = "refs/orchflow/saved/";

/// Tells a repository's state: branch, operation under way, dirty paths.
///
/// # Errors
/// There is no repository or no commit there, or git could not be asked.
pub async fn status(cx: Manager, params: DirParams) -> Result<StatusResult, Error> {
    let repo = place::open(&cx, &params.dir).await?;
    let state = repo.state().await?;
    let head = state.head.ok_or_else(|| Refused::Empty { root: repo.root().to_owned() })?;
    let dirty = state.entries.into_iter();
    Ok(StatusResult {
        root: repo.root().display().to_string(),
        head,
        branch: state.branch,
        operation: state.operation.map(|operation| operation.as_str().to_owned()),
        dirty: dirty
            .map(|entry| DirtyPath { path: entry.path.display().to_string(), code: entry.code })
            .collect(),
    })
}

/// Lists branches, tags and the stash with what each stands at; branches of orchflow's own are
/// left out.
///
/// # Errors
/// There is no repository or no commit there, or git could not be asked.
pub async fn refs(cx: Manager, params: DirParams) -> Result<RefsResult, Error> {
    let found = place::open(&cx, &params.dir).await?.refs().await?;
    Ok(RefsResult { branch: found.branch, head: found.head, refs: found.refs })
}

/// Answers the difference between two commits, or a commit and the working tree with its
/// untracked files.
///
/// # Errors
/// A commit is not there, or git could not be asked.
pub async fn diff(cx: Manager, params: DiffParams) -> Result<DiffResult, Error> {
    let repo = place::open(&cx, &params.dir).await?;
    let head = match params.head {
        Some(head) => head,
        None => repo.snapshot("The working tree, to compare").await?,
    };
    let limit = params.limit.unwrap_or(PATCH).min(MOST_PATCH) as usize;
    let patch = repo.patch(&params.base, &head, limit).await?;
    let changes = repo.changes(&params.base, DiffTo::Revision(&head)).await?;
    let files = changes.into_iter().map(|change| change.path.display().to_string()).collect();
    Ok(DiffResult { patch: patch.text, truncated: patch.cut, files })
}

/// Makes a commit of the working tree, untracked files included, and touches neither index,
/// HEAD nor files.
///
/// # Errors
/// A file could not be read, or git could not be asked.
pub async fn snapshot(cx: Manager, params: SnapshotParams) -> Result<CommitResult, Error> {
    let commit = place::open(&cx, &params.dir).await?.snapshot(&params.message).await?;
    Ok(CommitResult { commit: Some(commit) })
}

/// Commits all changes of a worktree on its own branch; the same key again answers the commit
/// made the first time.
///
/// # Errors
/// It is none of the worktrees made here, a conflict is unsolved, or git could not be asked.
pub async fn commit(cx: Manager, params: CommitParams) -> Result<CommitResult, Error> {
    if params.key.trim().is_empty() {
        return Err(Error::BadParam { given: params.key, what: "an idempotency key" });
    }
    let worktree = place::worktree(&cx, &params.dir).await?;
    let trailers: Vec<_> = params.trailers.into_iter().collect();
    let commit = KeyedCommit {
        message: &params.message,
        trailers: &trailers,
        key: &params.key,
        onto: params.onto.as_deref(),
    };
    Ok(CommitResult { commit: worktree.commit_keyed(commit).await? })
}

/// Adds a worktree on a branch; one that is there already with that branch is answered as it
/// is, and one whose folder was deleted is made again.
///
/// # Errors
/// The name cannot be a folder's, the branch is checked out elsewhere, or there is no such base.
pub async fn worktree_add(
    cx: Manager,
    params: WorktreeAddParams,
) -> Result<WorktreeAddResult, Error> {
    let repo = place::open(&cx, &params.dir).await?;
    let path = place::make(&cx, &repo, &params.name)?;
    let worktree = repo.worktree_add(&path, &params.branch, &params.base).await?;
    let head = worktree.head().await?;
    Ok(WorktreeAddResult { path: worktree.root().display().to_string(), head })
}

/// Brings a worktree back to a commit, after what is uncommitted in it was saved under a ref.
///
/// # Errors
/// It is none of the worktrees made here, there is no such commit, or git could not be asked.
pub async fn worktree_reset(
    cx: Manager,
    params: WorktreeResetParams,
) -> Result<WorktreeResetResult, Error> {
    let worktree = place::worktree(&cx, &params.dir).await?;
    let reset = worktree.reset(params.to.as_deref(), &params.save_as).await?;
    let key = worktree.key_of(&reset.head).await?;
    Ok(WorktreeResetResult { head: reset.head, key, saved_ref: reset.saved.map(saved_ref) })
}

/// Lists the worktrees of a repository, the main one first.
///
/// # Errors
/// Git could not be asked.
pub async fn worktree_list(cx: Manager, params: DirParams) -> Result<WorktreeListResult, Error> {
    let found = place::open(&cx, &params.dir).await?.worktree_list().await?;
    let worktrees = found.into_iter().map(|worktree| Worktree {
        path: worktree.path.display().to_string(),
        head: worktree.head,
        branch: worktree.branch,
    });
    Ok(WorktreeListResult { worktrees: worktrees.collect() })
}

/// Removes a worktree, after what is uncommitted or unmerged in it was saved under a ref.
///
/// # Errors
/// It is none of the worktrees made here, somebody locked it, or it holds a repository of its own.
pub async fn worktree_remove(
    cx: Manager,
    params: WorktreeRemoveParams,
) -> Result<WorktreeRemoveResult, Error> {
    let repo = place::open(&cx, &params.dir).await?;
    let path = place::own_path(&cx, &repo, &params.path)?;
    let folder = path.file_name().unwrap_or_default().to_string_lossy();
    let save_as = params.save_as.as_deref().unwrap_or(&folder);
    let (branch, safe_in) = (params.branch.as_deref(), params.merged_into.as_deref());
    let saved = repo.give_up(&path, save_as, Leaving { branch, safe_in }).await?;
    Ok(WorktreeRemoveResult { saved_ref: saved.map(saved_ref) })
}

/// Mends what a killed git left half-made among the worktrees made here.
///
/// # Errors
/// A file could not be read or removed.
pub async fn worktree_repair(
    cx: Manager,
    params: DirParams,
) -> Result<WorktreeRepairResult, Error> {
    let repo = place::open(&cx, &params.dir).await?;
    let repaired = repo.worktree_repair(&place::project(&cx, &repo)).await?;
    let removed = repaired.removed.iter();
    let removed = removed.map(|path| format!("removed a half-made worktree at {}", path.display()));
    let unlocked = repaired.unlocked.iter();
    let unlocked = unlocked.map(|path| format!("removed a dead git's lock at {}", path.display()));
    Ok(WorktreeRepairResult { mended: removed.chain(unlocked).collect() })
}

/// Keeps a commit from being collected, under a hidden ref. A name that keeps another commit
/// already gets a number.
///
/// # Errors
/// There is no such commit, or the name cannot be a ref's.
pub async fn save_ref(cx: Manager, params: SaveRefParams) -> Result<SaveRefResult, Error> {
    let repo = place::open(&cx, &params.dir).await?;
    if let Some(safe) = &params.unless_in
        && repo.is_ancestor(&params.commit, safe).await?
    {
        return Ok(SaveRefResult { saved_ref: None });
    }
    let name = repo.save_ref(RefKind::Saved, &params.name, &params.commit).await?;
    Ok(SaveRefResult { saved_ref: Some(saved_ref(name)) })
}

/// Merges a commit into a worktree's branch; a conflict leaves the worktree as it was.
///
/// # Errors
/// It is none of the worktrees made here, there is no such commit, or git failed.
pub async fn merge(cx: Manager, params: MergeParams) -> Result<MergeResult, Error> {
    let worktree = place::worktree(&cx, &params.dir).await?;
    Ok(match worktree.merge(&params.commit, &params.message).await? {
        Merge::Merged { commit, .. } => MergeResult { commit: Some(commit), conflicts: Vec::new() },
        Merge::Conflict { files } => {
            let conflicts = files.iter().map(|path| path.display().to_string()).collect();
            MergeResult { commit: None, conflicts }
        }
    })
}

/// Fast-forwards the user's checked-out branch when nothing of the user's is in the way; else
/// touches nothing and says how to take the branch by hand.
///
/// # Errors
/// There is no such branch, or git could not be asked.
pub async fn land(cx: Manager, params: LandParams) -> Result<LandResult, Error> {
    valid_branch(&params.branch)?;
    let repo = place::open(&cx, &params.dir).await?;
    let full = format!("refs/heads/{}", params.branch);
    let onto = params.onto.as_ref();
    let onto = onto.map(|onto| Onto { branch: onto.branch.as_deref(), tip: &onto.tip });
    Ok(match repo.fast_forward(&full, onto).await? {
        FastForward::Landed { branch, .. } => {
            LandResult { merged: true, into: Some(branch), reason: None, command: None }
        }
        FastForward::NotLanded(reason) => LandResult {
            merged: false,
            into: None,
            reason: Some(reason.to_string()),
            command: Some(take_command(repo.root(), &params.branch)),
        },
    })
}

/// Lists saved work and, when asked, restores one of it into the new branch `rescue/NAME`.
///
/// # Errors
/// Nothing is saved under that name, or the branch is there with another commit.
pub async fn rescue(cx: Manager, params: RescueParams) -> Result<RescueResult, Error> {
    let repo = place::open(&cx, &params.dir).await?;
    let mut branch = None;
    if let Some(given) = &params.restore {
        let name = given.strip_prefix(SAVED).unwrap_or(given);
        let made = format!("rescue/{name}");
        repo.restore_saved(name, &made).await?;
        branch = Some(made);
    }
    let saved = repo.list_saved(RefKind::Saved).await?.into_iter().map(|saved| Saved {
        name: saved.name,
        commit: saved.commit,
        subject: saved.subject,
        saved_at: Timestamp::from_millis(saved.seconds.saturating_mul(1000)).to_string(),
    });
    Ok(RescueResult { saved: saved.collect(), branch })
}

fn saved_ref(name: String) -> String {
    format!("{SAVED}{name}")
}
