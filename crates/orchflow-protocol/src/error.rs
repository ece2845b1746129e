//! The one shape in which an error reaches a client.

use orchflow_types::text::escaped;
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
    /// An error of this kind with this message. What it repeats of what a caller gave may
    /// hold anything: hidden characters are spelled out here, for every error there is.
    pub fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        let data = Data { kind, hint: None, more: Map::new() };
        Self { code: kind.code(), message: escaped(message.as_ref()), data }
    }

    /// The same with the one next thing to do.
    #[must_use]
    pub fn hint(mut self, hint: impl AsRef<str>) -> Self {
        self.data.hint = Some(escaped(hint.as_ref()));
        self
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.data.kind
    }

    /// Anything that can explain itself, with the causes behind it.
    pub fn explain<E: Explain + ?Sized>(error: &E) -> Self {
        let told = Self::new(error.kind(), error.message());
        match error.hint() {
            Some(hint) => told.hint(hint),
            None => told,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_repeats_of_its_caller_is_never_told_raw() {
        let error = Error::new(ErrorKind::File, "no folder `/a\0b\x1b[2J`\nsecond line")
            .hint("try `c\u{202e}d`");
        assert_eq!(error.message, "no folder `/a\\u{0}b\\u{1b}[2J`\nsecond line");
        assert_eq!(error.data.hint.as_deref(), Some("try `c\\u{202e}d`"));
    }
}
