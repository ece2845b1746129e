//! Everything that can go wrong, by its stable word.
//!
//! A kind is what programs match on; each has a page `docs/errors/KIND.md` that says
//! what it means and how to mend it, a JSON-RPC code, and the exit code of the CLI.
//! Libraries keep error enums of their own and say their kind through [`Explain`];
//! the door turns any of them into one shape.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an error tells itself to a door: a kind, and how to mend it.
pub trait Explain: std::error::Error {
    /// The stable word.
    fn kind(&self) -> ErrorKind;
    /// The one next command or change that mends it, where there is one.
    fn hint(&self) -> Option<String> {
        None
    }
    /// What went wrong, with the causes behind it.
    fn message(&self) -> String {
        let mut message = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !message.ends_with(&cause_text) {
                message.push_str(": ");
                message.push_str(&cause_text);
            }
            source = cause.source();
        }
        message
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $code:literal, exit $exit:literal;)*) => {
        /// A stable word for what went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum ErrorKind { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl ErrorKind {
            /// Every kind there is; each has a page in `docs/errors/`.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            /// Its spelling on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $word),* } }
            /// The JSON-RPC error code.
            #[must_use]
            pub const fn code(self) -> i32 { match self { $(Self::$name => $code),* } }
            /// The exit code of a command that ends with it.
            #[must_use]
            pub const fn exit_code(self) -> u8 { match self { $(Self::$name => $exit),* } }
        }
    };
}

kinds! {
    /// The bytes are not JSON.
    ParseError = "parse_error", -32700, exit 2;
    /// The JSON is not a JSON-RPC 2.0 request.
    InvalidRequest = "invalid_request", -32600, exit 2;
    /// No method has this name.
    MethodNotFound = "method_not_found", -32601, exit 2;
    /// The params are not what the method takes.
    InvalidParams = "invalid_params", -32602, exit 2;
    /// A fault of orchflow itself.
    Internal = "internal", -32603, exit 70;
    /// No such session.
    SessionNotFound = "session_not_found", -32001, exit 3;
    /// No such pane.
    PaneNotFound = "pane_not_found", -32002, exit 3;
    /// No agent has this name.
    AgentNotFound = "agent_not_found", -32003, exit 3;
    /// No agent could do the work: none was found on this machine, none is configured.
    NoAgent = "no_agent", -32003, exit 5;
    /// No such task.
    TaskNotFound = "task_not_found", -32004, exit 3;
    /// No such run.
    RunNotFound = "run_not_found", -32005, exit 3;
    /// Some other thing that was named is not there.
    NotFound = "not_found", -32010, exit 3;
    /// It is not in the state this needs, or somebody else was first.
    Conflict = "conflict", -32010, exit 7;
    /// The caller may not do this.
    PermissionDenied = "permission_denied", -32011, exit 4;
    /// A policy said no.
    PolicyDenied = "policy_denied", -32011, exit 4;
    /// A person has to approve first, and none could be asked.
    ApprovalNeeded = "approval_needed", -32011, exit 4;
    /// The repository's own configuration is not trusted yet.
    Untrusted = "untrusted", -32011, exit 4;
    /// Too much is under way; try again.
    Overloaded = "overloaded", -32012, exit 5;
    /// A limit on tokens, money or time was reached.
    Budget = "budget", -32013, exit 6;
    /// The database could not be read or written.
    Storage = "storage", -32014, exit 8;
    /// There is no room left on the disk.
    StorageFull = "storage_full", -32014, exit 8;
    /// The database is damaged; it was left as it is.
    StorageCorrupt = "storage_corrupt", -32014, exit 8;
    /// The database was written by a newer orchflow.
    StorageNewer = "storage_newer", -32014, exit 8;
    /// Another process holds the database.
    StorageLocked = "storage_locked", -32014, exit 8;
    /// The daemon cannot be reached or started.
    Unavailable = "unavailable", -32015, exit 5;
    /// Another daemon of this user runs already.
    AlreadyRunning = "already_running", -32015, exit 7;
    /// The path of the socket is longer than a socket's may be.
    SocketPathTooLong = "socket_path_too_long", -32015, exit 2;
    /// The two sides speak different versions of the protocol.
    VersionMismatch = "version_mismatch", -32016, exit 5;
    /// It did not end in the time it had.
    Timeout = "timeout", -32017, exit 5;
    /// This build, backend or machine cannot do it.
    Unsupported = "unsupported", -32018, exit 5;
    /// There is no git repository here.
    NoRepository = "no_repository", -32019, exit 3;
    /// The repository is bare: it has no checkout.
    BareRepository = "bare_repository", -32019, exit 7;
    /// The repository has no commit to start from.
    EmptyRepository = "empty_repository", -32019, exit 7;
    /// A git command did not do what it was asked.
    Git = "git", -32019, exit 1;
    /// A setting has no such name, or not this value.
    Config = "config", -32020, exit 2;
    /// The plan could not be read.
    Plan = "plan", -32021, exit 2;
    /// A program that is needed is not installed.
    ProgramNotFound = "program_not_found", -32022, exit 5;
    /// A file or folder could not be read or written.
    File = "file", -32023, exit 1;
    /// The run ended, and not green.
    RunNotGreen = "run_not_green", -32024, exit 1;
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        let mut words: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ErrorKind::ALL.len());
    }
}
