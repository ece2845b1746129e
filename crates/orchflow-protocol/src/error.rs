//! The one shape in which an error reaches a client.

use orchflow_types::{ErrorKind, Explain};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A JSON-RPC error object: `{code, message, data: {kind, hint, …}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Error {
    /// The JSON-RPC code of the kind.
    pub code: i32,
    /// What went wrong, for a person, in one or two sentences.
    pub message: String,
    /// What programs match on.
    pub data: Data,
}

/// The `data` of an [`Error`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Data {
    /// The stable word; `docs/errors/KIND.md` explains it.
    pub kind: ErrorKind,
    /// The one next command or change that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// More, by kind.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Error {
    /// An error of this kind with this message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let data = Data { kind, hint: None, more: Map::new() };
        Self { code: kind.code(), message: message.into(), data }
    }

    /// The same with the one next thing to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.data.hint = Some(hint.into());
        self
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.data.kind
    }

    /// Anything that can explain itself, with the causes behind it.
    pub fn explain<E: Explain + ?Sized>(error: &E) -> Self {
        let mut told = Self::new(error.kind(), error.message());
        told.data.hint = error.hint();
        told
    }
}

impl<E: Explain> From<E> for Error {
    fn from(error: E) -> Self {
        Self::explain(&error)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

// Not `std::error::Error`: that would make `From<E: Explain>` and `From<T> for T` one step from
// clashing, and nothing above the door needs a source chain any more.
