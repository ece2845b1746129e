//! `git.*`: what a manager does to repositories, by hardened calls of the git program.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::method;

mod worktree;

pub use worktree::{
    Worktree, WorktreeAddParams, WorktreeAddResult, WorktreeListResult, WorktreeRemoveParams,
    WorktreeRemoveResult, WorktreeRepairResult, WorktreeResetParams, WorktreeResetResult,
};

method! {
    /// Tells a repository's state: branch, operation under way, dirty paths.
    Status = "git.status", Read, DirParams => StatusResult
}
method! {
    /// Lists branches, tags and the stash with what each stands at; branches of orchflow's own are left out.
    Refs = "git.refs", Read, DirParams => RefsResult
}
method! {
    /// Answers the difference between two commits, or a commit and the working tree.
    Diff = "git.diff", Read, DiffParams => DiffResult
}
method! {
    /// Makes a commit of the working tree, untracked files included, and touches neither index, HEAD nor files.
    Snapshot = "git.snapshot", Run, SnapshotParams => CommitResult, order |params| params.dir
}
method! {
    /// Commits all changes of a worktree; the same key again answers the commit made the first time.
    Commit = "git.commit", Run, CommitParams => CommitResult, order |params| params.dir
}
method! {
    /// Adds a worktree on a branch; one that is there already with that branch is answered as it is.
    WorktreeAdd = "git.worktree_add", Run, WorktreeAddParams => WorktreeAddResult, order |params| params.dir
}
method! {
    /// Brings a worktree back to a commit, after what is uncommitted in it was saved under a ref.
    WorktreeReset = "git.worktree_reset", Run, WorktreeResetParams => WorktreeResetResult, order |params| params.dir
}
method! {
    /// Lists the worktrees of a repository.
    WorktreeList = "git.worktree_list", Read, DirParams => WorktreeListResult
}
method! {
    /// Removes a worktree, after what is uncommitted or unmerged in it was saved under a ref.
    WorktreeRemove = "git.worktree_remove", Run, WorktreeRemoveParams => WorktreeRemoveResult, order |params| params.dir
}
method! {
    /// Mends what a killed git left half-made.
    WorktreeRepair = "git.worktree_repair", Run, DirParams => WorktreeRepairResult, order |params| params.dir
}
method! {
    /// Keeps a commit from being collected, under a hidden ref.
    SaveRef = "git.save_ref", Run, SaveRefParams => SaveRefResult, order |params| params.dir
}
method! {
    /// Merges a commit into a worktree's branch; a conflict leaves the worktree as it was.
    Merge = "git.merge", Run, MergeParams => MergeResult, order |params| params.dir
}
method! {
    /// Fast-forwards the user's checked-out branch when nothing of the user's is in the way; else touches nothing.
    Land = "git.land", Run, LandParams => LandResult, order |params| params.dir
}
method! {
    /// Lists saved work and, when asked, restores one of it into a new branch.
    Rescue = "git.rescue", Run, RescueParams => RescueResult, order |params| params.dir
}

/// A repository, by any folder in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirParams {
    /// The folder, absolute.
    pub dir: String,
}

/// Answer of `git.status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusResult {
    /// The checkout's root, absolute.
    pub root: String,
    /// The commit checked out.
    pub head: String,
    /// The branch; none when HEAD is detached.
    pub branch: Option<String>,
    /// The operation under way: `rebase`, `merge`, `cherry-pick`, `revert`, `bisect`, `am`.
    pub operation: Option<String>,
    /// Paths that differ from HEAD or are untracked.
    pub dirty: Vec<DirtyPath>,
}

/// Answer of `git.refs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RefsResult {
    /// The branch that is checked out; none when HEAD is detached.
    pub branch: Option<String>,
    /// The commit that is checked out.
    pub head: String,
    /// Full names of refs, with the object each stands at.
    pub refs: BTreeMap<String, String>,
}

/// One path that is not as HEAD has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DirtyPath {
    /// Relative to the root.
    pub path: String,
    /// Two letters as `git status --porcelain` prints them.
    pub code: String,
}

/// Params of `git.diff`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiffParams {
    /// The folder, absolute.
    pub dir: String,
    /// The older side.
    pub base: String,
    /// The newer side; none is the working tree, untracked files included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The most bytes of patch to answer; 1 MiB when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `git.diff`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffResult {
    /// The patch.
    pub patch: String,
    /// Whether it was cut at the limit.
    pub truncated: bool,
    /// The paths that differ.
    pub files: Vec<String>,
}

/// Params of `git.snapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotParams {
    /// The folder, absolute.
    pub dir: String,
    /// The commit's message.
    pub message: String,
}

/// Answer of `git.commit` and `git.snapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommitResult {
    /// The commit; none when there was nothing to commit.
    pub commit: Option<String>,
}

/// Params of `git.commit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitParams {
    /// The worktree, absolute.
    pub dir: String,
    /// The commit's message.
    pub message: String,
    /// Lines at the message's end: who, by which plan, proven how.
    #[serde(default)]
    pub trailers: BTreeMap<String, String>,
    /// The idempotency key; it is kept as the trailer `Orchflow-Key`, too.
    pub key: String,
    /// Fold every commit since this one into the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onto: Option<String>,
}

/// Params of `git.save_ref`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveRefParams {
    /// The repository, absolute.
    pub dir: String,
    /// The name below `refs/orchflow/saved/`.
    pub name: String,
    /// The commit.
    pub commit: String,
    /// Save nothing when it can be reached from here, and so is not lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless_in: Option<String>,
}

/// Answer of `git.save_ref`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SaveRefResult {
    /// The ref that keeps it; none when there was no need.
    pub saved_ref: Option<String>,
}

/// Params of `git.merge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeParams {
    /// The worktree to merge in, absolute.
    pub dir: String,
    /// The commit to merge.
    pub commit: String,
    /// The merge commit's message, where one is needed.
    pub message: String,
}

/// Answer of `git.merge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MergeResult {
    /// The branch's new commit; none when it conflicts.
    pub commit: Option<String>,
    /// The paths that conflict.
    pub conflicts: Vec<String>,
}

/// Params of `git.land`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LandParams {
    /// The user's checkout, absolute.
    pub dir: String,
    /// The branch that holds the result.
    pub branch: String,
    /// The checkout as it was when the work began; it is moved on only from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onto: Option<LandOnto>,
}

/// A checkout at the moment a work began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LandOnto {
    /// The branch that was checked out; none when HEAD was detached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commit that was checked out.
    pub tip: String,
}

/// Answer of `git.land`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LandResult {
    /// Whether the user's branch has it now.
    pub merged: bool,
    /// The user's branch, when it was merged.
    pub into: Option<String>,
    /// Why not.
    pub reason: Option<String>,
    /// The one command that takes it.
    pub command: Option<String>,
}

/// Params of `git.rescue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RescueParams {
    /// The repository, absolute.
    pub dir: String,
    /// The saved name to restore; none only lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<String>,
}

/// Answer of `git.rescue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RescueResult {
    /// What is saved, newest first.
    pub saved: Vec<Saved>,
    /// The branch that was made, when one was to be restored.
    pub branch: Option<String>,
}

/// One saved state of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Saved {
    /// Its name, for `restore`.
    pub name: String,
    /// The commit.
    pub commit: String,
    /// The commit's subject.
    pub subject: String,
    /// When it was saved, as git tells it.
    pub saved_at: String,
}
