//! The registry of ids: each is a `UUIDv7` (RFC 9562) behind a prefix a person sees.
//!
//! An id prints as `task_0193e4c2d1f07cc3a1b2c3d4e5f60718`: the prefix, an
//! underscore, 32 lower-case hexadecimal digits. Parsing is strict, so that one
//! thing never has two spellings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no {noun} id: expected `{prefix}_` and 32 lower-case hexadecimal digits")]
pub struct ParseIdError {
    /// What was given.
    pub given: String,
    /// What it should have named.
    pub noun: &'static str,
    /// The prefix that noun has.
    pub prefix: &'static str,
}

/// What every id has in common.
pub trait Id: Copy + Ord + fmt::Display + FromStr<Err = ParseIdError> {
    /// The word before the underscore.
    const PREFIX: &'static str;
    /// Wraps a `UUIDv7`; only `orchflow_runtime::ids` should need this.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The bare UUID.
    fn uuid(self) -> Uuid;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            fn uuid(self) -> Uuid { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.as_simple())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> { parse($prefix, text).map(Self) }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": concat!("^", $prefix, "_[0-9a-f]{32}$"),
                })
            }
        }
    )*};
}

ids! {
    /// A workspace of windows and panes.
    SessionId = "session";
    /// A terminal (or, with `tty: false`, three pipes) and the process behind it.
    PaneId = "pane";
    /// An agent somebody created: a coding agent, a tool, a command.
    AgentId = "agent";
    /// A node of the task tree.
    TaskId = "task";
    /// What happens to a task: plan, execution, gates, audit, merge.
    RunId = "run";
    /// One thing that waits for a person.
    AttentionId = "attention";
}

fn parse(prefix: &'static str, text: &str) -> Result<Uuid, ParseIdError> {
    let bad = || ParseIdError { given: text.to_owned(), noun: prefix, prefix };
    let digits =
        text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or_else(bad)?;
    let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if digits.len() != 32 || !digits.bytes().all(lower_hex) {
        return Err(bad());
    }
    Uuid::try_parse(digits).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_and_parses_back() {
        let id = TaskId::from_uuid(Uuid::from_u128(0x0193_e4c2_d1f0_7cc3_a1b2_c3d4_e5f6_0718));
        assert_eq!(id.to_string(), "task_0193e4c2d1f07cc3a1b2c3d4e5f60718");
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<TaskId>(&json).unwrap(), id);
    }

    #[test]
    fn another_nouns_id_an_upper_case_one_and_a_short_one_are_refused() {
        for bad in [
            "run_0193e4c2d1f07cc3a1b2c3d4e5f60718",
            "task_0193E4C2D1F07CC3A1B2C3D4E5F60718",
            "task_01",
            "",
            "task_",
        ] {
            let error = bad.parse::<TaskId>().unwrap_err();
            assert!(error.to_string().contains("is no task id"), "{error}");
        }
    }
}
