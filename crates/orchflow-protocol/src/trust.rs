//! `trust.*`: what a repository's own configuration may do, granted by content hash.

use orchflow_types::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::{Empty, method};

method! {
    /// Tells what a folder's own configuration holds and whether exactly this content is trusted.
    Get = "trust.get", Read, DirParams => TrustResult
}
method! {
    /// Trusts a folder's configuration as it is now; a changed byte ends the trust.
    Grant = "trust.grant", Admin, GrantParams => TrustResult, order |params| params.dir
}
method! {
    /// Takes the trust back.
    Revoke = "trust.revoke", Admin, DirParams => Empty, order |params| params.dir
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirParams {
    /// The folder, absolute.
    pub dir: String,
}

/// Params of `trust.grant`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantParams {
    /// The folder, absolute.
    pub dir: String,
    /// The hash that was shown to the person; refused with `conflict` when the content has changed since.
    pub hash: String,
}

/// Answer of `trust.get` and `trust.grant`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrustResult {
    /// The folder.
    pub dir: String,
    /// Whether exactly this content is trusted.
    pub trusted: bool,
    /// The hash of all of it.
    pub hash: String,
    /// The files that count.
    pub files: Vec<TrustFile>,
    /// When trust was granted, if it was.
    pub granted_at: Option<Timestamp>,
    /// Whether trust was granted once, for another content.
    pub changed: bool,
}

impl TrustResult {
    /// The files that may have effect, with the content they may have it with.
    #[must_use]
    pub fn trusted_files(&self) -> &[TrustFile] {
        if self.trusted { &self.files } else { &[] }
    }
}

/// One file that a repository configures something with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrustFile {
    /// Relative to the folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// The hash of its content.
    pub hash: String,
}
