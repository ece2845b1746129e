//! What a method is: a type with a name, an access level, an order key and two shapes.

use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a caller must be allowed to do. Each level includes those before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Look, and nothing else.
    Read,
    /// Start work, write to panes, change tasks.
    Run,
    /// Answer for a person: approve plans and permissions.
    Approve,
    /// Change settings and trust, end the daemon.
    Admin,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Run => "run",
            Self::Approve => "approve",
            Self::Admin => "admin",
        })
    }
}

/// One row of the method table.
pub trait Method: Send + Sync + 'static {
    /// Its name on the wire: `noun.verb`.
    const NAME: &'static str;
    /// What it does, for reference pages and help.
    const DOC: &'static str;
    /// What a caller must be allowed to do.
    const ACCESS: Access;
    /// What it takes.
    type Params: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// What it answers.
    type Result: Serialize + DeserializeOwned + JsonSchema + Send + 'static;

    /// What these params need: [`Method::ACCESS`], or more where a choice among them does
    /// what another method asks more access for.
    fn access(_params: &Self::Params) -> Access {
        Self::ACCESS
    }

    /// Calls with the same key run one after another, in the order they came; none runs freely.
    fn order_key(_params: &Self::Params) -> Option<String> {
        None
    }
}

/// No params, and results that say nothing but that it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Empty {}

macro_rules! method {
    ($(#[doc = $doc:literal])* $name:ident = $wire:literal, $access:ident, $params:ty => $result:ty
     $(, order |$p:ident| $key:expr)? $(, access |$q:ident| $access_of:expr)?) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl $crate::method::Method for $name {
            const NAME: &'static str = $wire;
            const DOC: &'static str = concat!($($doc, "\n"),*);
            const ACCESS: $crate::Access = $crate::Access::$access;
            type Params = $params;
            type Result = $result;
            $(fn order_key($p: &$params) -> Option<String> { Some($key.to_string()) })?
            $(fn access($q: &$params) -> $crate::Access { $access_of })?
        }
    };
}
pub(crate) use method;
