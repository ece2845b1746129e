//! JSON-RPC 2.0 frames (<https://www.jsonrpc.org/specification>), whole: requests,
//! notifications, batches and the standard errors. Only frames; no transport.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::Error;
use orchflow_types::ErrorKind;

/// The most requests one batch may hold.
pub const MAX_BATCH: usize = 1000;

/// The most bytes one frame may have.
pub const MAX_FRAME: usize = 16 * 1024 * 1024;

/// What a request is known by; a notification has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// JSON `null`: what an unreadable request is answered under.
    Null,
}

/// One call, read from the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// None for a notification, which is never answered.
    pub id: Option<Id>,
    /// The method's name.
    pub method: String,
    /// Its params, by name; `null` when there were none.
    pub params: Value,
}

/// What one frame holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// One request, or why it is none.
    Single(Result<Request, Invalid>),
    /// Several, to be answered in one array.
    Batch(Vec<Result<Request, Invalid>>),
}

/// Something that is no request, and the id to answer it under.
#[derive(Debug, Clone, PartialEq)]
pub struct Invalid {
    /// The id, where one could be read.
    pub id: Id,
    /// Why it is none.
    pub error: Error,
}

/// Reads a frame.
///
/// # Errors
/// The answer to send when the frame is not JSON at all or an empty or oversized batch.
pub fn parse(frame: &[u8]) -> Result<Incoming, Invalid> {
    let value: Value = serde_json::from_slice(frame).map_err(|error| Invalid {
        id: Id::Null,
        error: Error::new(ErrorKind::ParseError, format!("this is not JSON: {error}")),
    })?;
    match value {
        Value::Array(items) if items.is_empty() => {
            Err(invalid(Id::Null, "a batch holds at least one request"))
        }
        Value::Array(items) if items.len() > MAX_BATCH => Err(invalid(
            Id::Null,
            &format!("a batch holds at most {MAX_BATCH} requests, this one {}", items.len()),
        )),
        Value::Array(items) => Ok(Incoming::Batch(items.into_iter().map(request).collect())),
        single => Ok(Incoming::Single(request(single))),
    }
}

fn request(value: Value) -> Result<Request, Invalid> {
    let Value::Object(mut fields) = value else {
        return Err(invalid(Id::Null, "a request is an object"));
    };
    let id = match fields.remove("id") {
        None => None,
        Some(id) => Some(
            serde_json::from_value(id)
                .map_err(|_| invalid(Id::Null, "an id is a whole number, a text or null"))?,
        ),
    };
    let answer_to = id.clone().unwrap_or(Id::Null);
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(invalid(answer_to, "a request says \"jsonrpc\": \"2.0\""));
    }
    let Some(Value::String(method)) = fields.remove("method") else {
        return Err(invalid(answer_to, "a request names its method"));
    };
    let params = fields.remove("params").unwrap_or(Value::Null);
    if !matches!(params, Value::Object(_) | Value::Array(_) | Value::Null) {
        return Err(invalid(answer_to, "params are an object or an array"));
    }
    Ok(Request { id, method, params })
}

fn invalid(id: Id, why: &str) -> Invalid {
    Invalid { id, error: Error::new(ErrorKind::InvalidRequest, why) }
}

/// Turns params as they came into what a method takes. Methods take params by name: an
/// empty array or none stands for `{}`.
///
/// # Errors
/// `invalid_params`, naming the method and the field.
pub fn params<P: DeserializeOwned>(method: &str, params: Value) -> Result<P, Error> {
    let by_name = match params {
        Value::Null => json!({}),
        Value::Array(items) if items.is_empty() => json!({}),
        Value::Array(_) => {
            let text = format!("`{method}` takes its params by name: {{\"name\": value}}");
            return Err(Error::new(ErrorKind::InvalidParams, text));
        }
        named => named,
    };
    serde_json::from_value(by_name).map_err(|error| {
        let error = Error::new(ErrorKind::InvalidParams, format!("params of `{method}`: {error}"));
        error.hint(format!("`orchflow rpc rpc.discover` shows what `{method}` takes"))
    })
}

/// A call as a client writes it.
#[must_use]
pub fn call<P: Serialize>(id: i64, method: &str, params: &P) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// The answer to a call.
#[must_use]
pub fn answer(id: &Id, result: Result<Value, Error>) -> Value {
    match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
    }
}

/// A notification, from daemon to client.
#[must_use]
pub fn notification<P: Serialize>(method: &str, params: &P) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

/// What a client reads: an answer or a notification.
#[derive(Debug, Deserialize)]
pub struct FromDaemon {
    /// Set for answers.
    #[serde(default)]
    pub id: Option<Id>,
    /// Set for notifications.
    #[serde(default)]
    pub method: Option<String>,
    /// A notification's params.
    #[serde(default)]
    pub params: Option<Box<RawValue>>,
    /// An answer's result.
    #[serde(default)]
    pub result: Option<Box<RawValue>>,
    /// An answer's error.
    #[serde(default)]
    pub error: Option<Error>,
}

#[cfg(test)]
mod tests;
