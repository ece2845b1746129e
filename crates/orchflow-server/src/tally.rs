//! Counts of answered calls, by method and outcome, for `/metrics`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use orchflow_protocol::Error;

/// The counts. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<BTreeMap<(&'static str, &'static str), u64>>>);

impl Tally {
    /// Counts one answer of a method. Its outcome is `ok` or the kind of its error.
    pub(crate) fn count<T>(&self, method: &'static str, result: &Result<T, Error>) {
        let outcome = result.as_ref().map_or_else(|error| error.kind().as_str(), |_| "ok");
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((method, outcome)).or_default() += 1;
    }

    /// Every count there is, in a steady order: method, outcome, answers.
    pub(crate) fn counts(&self) -> Vec<(&'static str, &'static str, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|((method, outcome), count)| (*method, *outcome, *count)).collect()
    }
}
