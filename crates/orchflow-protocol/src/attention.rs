//! `attention.*`: what waits for a person.

use orchflow_types::attention::Attention;
use orchflow_types::{AttentionId, RunId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::method::method;

method! {
    /// Lists what waits for a person, oldest first.
    List = "attention.list", Read, ListParams => ListResult
}
method! {
    /// Answers one question; the first answer wins, the second gets `conflict`.
    Answer = "attention.answer", Approve, AnswerParams => Attention, order |params| params.attention_id
}

/// Params of `attention.list`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// Answered ones, too.
    #[serde(default)]
    pub all: bool,
    /// Only those of this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
}

/// Answer of `attention.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// The questions.
    pub items: Vec<Attention>,
}

/// Params of `attention.answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerParams {
    /// Which.
    pub attention_id: AttentionId,
    /// One of its options.
    pub answer: String,
}
