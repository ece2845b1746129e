//! The lines of `claude -p --output-format stream-json`, as they were recorded.
//!
//! What is read: `system/init`, `system/api_retry`, `system/permission_denied` and
//! `result`. Every other event is the agent's own business and is passed over, unknown
//! ones, lines that are no JSON and lines that were cut among them.

use std::fmt;

use serde_json::Value;

use crate::Usage;
use crate::said::{number, owned, word};

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The conversation's own name, for `--resume`.
    pub(super) session: Option<String>,
    /// The last time the model held it up.
    pub(super) retry: Option<Retry>,
    /// Tools that were denied on the way.
    pub(super) denied: Vec<String>,
    /// Its end; the last one counts.
    pub(super) result: Option<Ending>,
}

/// A request to the model that will be tried again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Retry {
    attempt: u64,
    status: u64,
    error: String,
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "try {} was answered {} {}", self.attempt, self.status, self.error)
    }
}

/// The event `result`.
#[derive(Debug, PartialEq)]
pub(super) struct Ending {
    /// Its last words, or the error's.
    pub(super) text: String,
    /// Tools it was denied.
    pub(super) denied: Vec<String>,
    /// What it used.
    pub(super) usage: Usage,
    subtype: String,
    is_error: bool,
    api_error_status: Option<u64>,
}

impl Reader {
    /// Takes a line; answers whether it was an event.
    pub(super) fn line(&mut self, line: &str) -> bool {
        let Ok(event) = serde_json::from_str::<Value>(line) else { return false };
        let Some(kind) = word(&event, "/type") else { return false };
        if self.session.is_none() {
            self.session = owned(&event, "/session_id");
        }
        match (kind, word(&event, "/subtype")) {
            ("system", Some("api_retry")) => {
                self.retry = Some(Retry {
                    attempt: number(&event, "/attempt"),
                    status: number(&event, "/error_status"),
                    error: owned(&event, "/error").unwrap_or_default(),
                });
            }
            ("system", Some("permission_denied")) => {
                self.denied.extend(owned(&event, "/tool_name"));
            }
            ("result", _) => self.result = Some(Ending::read(&event)),
            _ => {}
        }
        true
    }
}

impl Ending {
    fn read(event: &Value) -> Self {
        let denials = event.pointer("/permission_denials").and_then(Value::as_array);
        let denied = denials.into_iter().flatten().filter_map(|one| owned(one, "/tool_name"));
        Self {
            text: owned(event, "/result").unwrap_or_default(),
            denied: denied.collect(),
            usage: Usage {
                input_tokens: number(event, "/usage/input_tokens")
                    + number(event, "/usage/cache_creation_input_tokens"),
                output_tokens: number(event, "/usage/output_tokens"),
                cached_tokens: number(event, "/usage/cache_read_input_tokens"),
                cost_usd: event.pointer("/total_cost_usd").and_then(Value::as_f64),
            },
            subtype: owned(event, "/subtype").unwrap_or_default(),
            // An event that does not say it is none counts as an error.
            is_error: event.pointer("/is_error").and_then(Value::as_bool).unwrap_or(true),
            api_error_status: event.pointer("/api_error_status").and_then(Value::as_u64),
        }
    }

    /// Why the turn failed, if it did. An error of the API comes with the subtype
    /// `success`, so neither that nor an exit code says it alone.
    pub(super) fn failure(&self) -> Option<String> {
        let text = self.text.trim();
        if let Some(status) = self.api_error_status {
            let why = match status {
                401 | 403 => "the model refused the login",
                429 => "the model's rate limit or quota was reached",
                529 => "the model is overloaded",
                500.. => "the model's service failed",
                _ => "the model refused the request",
            };
            return Some(format!("gave up: {why} ({status}): {text}"));
        }
        if self.subtype != "success" {
            let words = self.subtype.replace('_', " ");
            return Some(format!(
                "gave up: {words}{}{text}",
                if text.is_empty() { "" } else { ": " }
            ));
        }
        self.is_error.then(|| format!("gave up: {text}"))
    }
}

#[cfg(test)]
mod tests;
