//! What stands before every route: Host, Origin, token, in this order, before the body.
//!
//! A web page the user visits can make the browser send requests here. It cannot choose
//! Host (a rebound name shows itself there) nor Origin, and it does not know the token.

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use orchflow_protocol::Error;
use orchflow_runtime::CancellationToken;
use orchflow_types::ErrorKind;

use super::{Desk, refusal};
use crate::{Caller, Tokens};

/// Who was let in. Handlers find it among the request's extensions.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Who calls.
    pub(super) caller: Caller,
    /// Cancelled when its token is rotated.
    pub(super) revoked: CancellationToken,
}

/// Lets a request in, or answers 403 or 401.
pub(super) async fn guard(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let mut request = request;
    match admit(request.headers(), request.uri(), desk.0.port, &desk.0.tokens) {
        Ok(session) => {
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Err(refused) => refused.response(),
    }
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Host,
    Origin,
    Token,
}

impl Refused {
    fn response(self) -> Response {
        let (status, kind, text) = match self {
            Self::Host => (
                StatusCode::FORBIDDEN,
                ErrorKind::PermissionDenied,
                "the Host header is not a name of this door",
            ),
            Self::Origin => (
                StatusCode::FORBIDDEN,
                ErrorKind::PermissionDenied,
                "requests of other web pages are refused",
            ),
            Self::Token => (
                StatusCode::UNAUTHORIZED,
                ErrorKind::PermissionDenied,
                "a token is needed: `Authorization: Bearer TOKEN`",
            ),
        };
        let error = Error::new(kind, text).hint("`orchflow status` names the token's file");
        let mut response = refusal(status, &error);
        if self == Self::Token {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

fn admit(headers: &HeaderMap, uri: &Uri, port: u16, tokens: &Tokens) -> Result<Session, Refused> {
    let host = host(headers, uri, port).ok_or(Refused::Host)?;
    if !from_here(headers, host) {
        return Err(Refused::Origin);
    }
    let token = only(headers, &AUTHORIZATION).and_then(bearer).ok_or(Refused::Token)?;
    let grant = tokens.check(token).ok_or(Refused::Token)?;
    let caller =
        Caller { access: grant.access, name: format!("a token with {} access", grant.access) };
    Ok(Session { caller, revoked: grant.revoked })
}

/// The one Host header, when it is a name of ours with our port.
fn host<'h>(headers: &'h HeaderMap, uri: &Uri, port: u16) -> Option<&'h str> {
    let host = only(headers, &HOST)?.to_str().ok()?;
    // A request line may name a host, too, and servers disagree on which of them counts.
    let same = uri.authority().is_none_or(|authority| authority.as_str() == host);
    (same && is_our_name(host, port)).then_some(host)
}

fn is_our_name(host: &str, port: u16) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].into_iter().any(|name| {
        let rest = host.strip_prefix(name);
        let with_port = rest.and_then(|rest| rest.strip_prefix(':')) == Some(&*port.to_string());
        with_port || (port == 80 && rest == Some("")) // a browser leaves port 80 out
    })
}

/// Whether a browser says that the request is of our own pages, or no browser speaks.
fn from_here(headers: &HeaderMap, host: &str) -> bool {
    const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    let origin = match headers.contains_key(ORIGIN) {
        false => true,
        true => only(headers, &ORIGIN)
            .and_then(|origin| origin.to_str().ok())
            .is_some_and(|origin| origin.strip_prefix("http://") == Some(host)),
    };
    let site = headers.get_all(SEC_FETCH_SITE).iter();
    origin && site.into_iter().all(|site| site == "same-origin" || site == "none")
}

fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

/// The header's value, when it is there exactly once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}
