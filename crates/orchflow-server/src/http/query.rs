//! The query of `GET /events`: `after`, `types` (with commas) and `about`.

use axum::http::Uri;
use orchflow_protocol::Error;
use orchflow_protocol::events::SubscribeParams;
use orchflow_types::{Cursor, ErrorKind};

/// Reads the query.
///
/// # Errors
/// `invalid_params`, naming the word that is wrong.
pub(super) fn read(uri: &Uri) -> Result<SubscribeParams, Error> {
    let mut params = SubscribeParams::default();
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value).ok_or_else(|| wrong(format!("`{name}` is not UTF-8")))?;
        match name {
            "after" => params.after = Some(cursor(&value)?),
            "about" => params.filter.about = Some(value),
            "types" => {
                for name in value.split(',').filter(|name| !name.is_empty()) {
                    let kind = name.parse().map_err(|error| wrong(format!("{error}")))?;
                    params.filter.types.push(kind);
                }
            }
            _ => return Err(wrong("the query has `after`, `types` and `about`".to_owned())),
        }
    }
    Ok(params)
}

/// Reads a cursor.
///
/// # Errors
/// `invalid_params` when it is none.
pub(super) fn cursor(text: &str) -> Result<Cursor, Error> {
    let cursor = text.parse().map(Cursor);
    cursor.map_err(|_| wrong("a cursor is the `cursor` of an event, or 0".to_owned()))
}

fn wrong(text: String) -> Error {
    Error::new(ErrorKind::InvalidParams, text)
}

/// Undoes percent-encoding and `+`; none when what comes out is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digit = |byte: u8| char::from(byte).to_digit(16);
                u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use orchflow_types::EventType;

    use super::*;

    fn of(query: &str) -> Result<SubscribeParams, Error> {
        read(&format!("/events{query}").parse().unwrap())
    }

    #[test]
    fn a_query_says_where_to_begin_and_which_events() {
        let params = of("?after=7&types=pane.exit%2Ctask.created&about=run_1").unwrap();
        assert_eq!(params.after, Some(Cursor(7)));
        assert_eq!(params.filter.types, [EventType::PaneExit, EventType::TaskCreated]);
        assert_eq!(params.filter.about.as_deref(), Some("run_1"));
        assert_eq!(of("").unwrap(), SubscribeParams::default());
    }

    #[test]
    fn what_a_query_does_not_have_is_refused() {
        for bad in ["?after=x", "?types=no.such", "?token=abc", "?about=%ff", "?about=%4"] {
            assert_eq!(of(bad).unwrap_err().kind(), ErrorKind::InvalidParams, "{bad}");
        }
    }
}
