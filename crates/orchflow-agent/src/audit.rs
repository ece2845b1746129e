//! Reads an auditor's answer.

use orchflow_types::run::Audit;

/// The answer holds no verdict that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its answer could not be read as an audit: {why}")]
pub struct Unreadable {
    /// What is wrong with it.
    pub why: String,
}

/// Reads the verdict out of an answer.
///
/// # Errors
/// [`Unreadable`].
pub fn read(text: &str) -> Result<Audit, Unreadable> {
    Err(Unreadable { why: text.to_owned() })
}
