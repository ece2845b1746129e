//! The shapes of `git.worktree_*`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Params of `git.worktree_add`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorktreeAddParams {
    /// The repository, absolute.
    pub dir: String,
    /// The worktree's name: its folder below the project's folder of worktrees.
    pub name: String,
    /// The branch, made when it is not there.
    pub branch: String,
    /// The commit it starts from.
    pub base: String,
}

/// Answer of `git.worktree_add`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorktreeAddResult {
    /// The worktree, absolute.
    pub path: String,
    /// The commit checked out.
    pub head: String,
}

/// Params of `git.worktree_reset`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorktreeResetParams {
    /// The worktree, absolute; never the user's own checkout.
    pub dir: String,
    /// The commit; none is the branch's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The name to save under.
    pub save_as: String,
}

/// Answer of `git.worktree_reset`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorktreeResetResult {
    /// The commit checked out now.
    pub head: String,
    /// The idempotency key its trailer `Orchflow-Key` holds.
    pub key: Option<String>,
    /// The ref that holds what would have been lost.
    pub saved_ref: Option<String>,
}

/// Answer of `git.worktree_list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorktreeListResult {
    /// The worktrees, the main one first.
    pub worktrees: Vec<Worktree>,
}

/// One worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Worktree {
    /// Absolute.
    pub path: String,
    /// The commit checked out; none when it is half-made.
    pub head: Option<String>,
    /// The branch; none when detached.
    pub branch: Option<String>,
}

/// Params of `git.worktree_remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorktreeRemoveParams {
    /// The repository, absolute.
    pub dir: String,
    /// The worktree, absolute.
    pub path: String,
    /// The name to save under; the worktree's folder name when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_as: Option<String>,
    /// A branch to delete afterwards; it is saved first when it is not merged into `merged_into`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Commits reachable from here are safe already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
}

/// Answer of `git.worktree_remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorktreeRemoveResult {
    /// The ref that holds what would have been lost.
    pub saved_ref: Option<String>,
}

/// Answer of `git.worktree_repair`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorktreeRepairResult {
    /// What was mended, a sentence each.
    pub mended: Vec<String>,
}
