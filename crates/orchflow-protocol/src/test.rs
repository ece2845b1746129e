//! `test.*`: what test tools said.

use orchflow_types::PaneId;
use orchflow_types::project::TestSummary;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::method;

method! {
    /// Reads counts and the names of failing tests out of what a test tool printed in a pane.
    Results = "test.results", Read, ResultsParams => ResultsResult
}

/// Params of `test.results`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultsParams {
    /// The pane the tool ran in.
    #[serde(alias = "paneId")]
    pub pane_id: PaneId,
    /// The tool, as `project.detect` calls it.
    pub framework: String,
}

/// Answer of `test.results`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResultsResult {
    /// What it said; none when its output holds no result.
    pub summary: Option<TestSummary>,
}
