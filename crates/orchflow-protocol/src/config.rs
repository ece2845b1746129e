//! `config.*`: settings and where each came from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::method::method;

method! {
    /// Tells the value of one setting and where it came from.
    Get = "config.get", Read, GetParams => Setting
}
method! {
    /// Writes one setting into the user's configuration file, keeping its comments.
    Set = "config.set", Admin, SetParams => Setting, order |_params| "config"
}
method! {
    /// Tells every setting and where it came from.
    Show = "config.show", Read, ShowParams => ShowResult
}

/// Params of `config.get`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetParams {
    /// The setting, dotted: `run.max_concurrency`.
    pub key: String,
    /// The project whose configuration counts, too; none is the user's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
}

/// Params of `config.set`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetParams {
    /// The setting, dotted.
    pub key: String,
    /// Its new value.
    pub value: Value,
}

/// Params of `config.show`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowParams {
    /// The project whose configuration counts, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// Its name, dotted.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// `default`, a file, or a variable.
    pub origin: String,
}

/// Answer of `config.show`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShowResult {
    /// Every setting, by name.
    pub settings: Vec<Setting>,
    /// The user's file, whether or not it is there.
    pub file: String,
    /// The project's file that was left out since the project is not trusted.
    pub untrusted: Option<String>,
}
