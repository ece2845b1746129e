//! `project.*`: what a folder is and how it is built, tested, linted and formatted.

use orchflow_types::project::Project;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::method;

method! {
    /// Finds the build, test, lint and format commands of a folder, each with its reason; runs nothing of it.
    Detect = "project.detect", Read, DetectParams => Project
}

/// Params of `project.detect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectParams {
    /// The folder, absolute.
    pub dir: String,
}
