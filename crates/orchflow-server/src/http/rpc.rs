//! `POST /rpc` and `/health`: one frame in, its answer out.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use orchflow_client::Payload;
use orchflow_protocol::rpc::MAX_FRAME;
use orchflow_protocol::system::Health;
use orchflow_protocol::{Error, Method};
use orchflow_runtime::TaskKind;
use orchflow_types::ErrorKind;
use serde_json::Value;
use tokio::sync::oneshot;

use super::guard::Session;
use super::{Desk, json, refusal};
use crate::connection;

/// Answers one frame: 200 with the answer, 204 when it needs none. What goes wrong with
/// the call itself is told in the answer, as JSON-RPC has it.
pub(super) async fn call(
    State(desk): State<Desk>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Response {
    if !is_json(request.headers()) {
        let error = Error::new(ErrorKind::InvalidRequest, "a call is `application/json`");
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error);
    }
    if length(request.headers()).is_some_and(|length| length > MAX_FRAME as u64) {
        return too_long();
    }
    let frame = match Bytes::from_request(request, &()).await {
        Ok(frame) => frame,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => return too_long(),
        Err(rejection) => return rejection.into_response(),
    };
    match answer(&desk, session, frame).await {
        Some(Some(answer)) => ([(CONTENT_TYPE, "application/json")], answer).into_response(),
        Some(None) => StatusCode::NO_CONTENT.into_response(),
        None => {
            let error = Error::new(ErrorKind::Unavailable, "the daemon is ending");
            refusal(StatusCode::SERVICE_UNAVAILABLE, &error)
        }
    }
}

/// Answers what `system.health` answers; 503 when something is not well.
pub(super) async fn health(
    State(desk): State<Desk>,
    Extension(session): Extension<Session>,
) -> Response {
    let table = &desk.0.serves.table;
    match table.start(&session.caller, Health::NAME, Payload::Json(Value::Null)).await {
        Ok(Payload::Json(health)) => {
            let well = health.get("ok").and_then(Value::as_bool) == Some(true);
            let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            json(status, &health)
        }
        Ok(Payload::Typed(_)) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, &error),
    }
}

/// Runs the calls of a frame as a task of their own: a client that hangs up does not
/// stop them half way. None when they were dropped at the door's end.
async fn answer(desk: &Desk, session: Session, frame: Bytes) -> Option<Option<String>> {
    let (reply, answer) = oneshot::channel();
    let (table, dropped) = (desk.0.serves.table.clone(), desk.0.ending.drop.clone());
    let work = async move {
        tokio::select! {
            result = connection::respond(&table, &session.caller, &frame) => {
                let _ = reply.send(result); // the client may have hung up
            }
            () = dropped.cancelled() => {}
        }
        Ok::<(), Error>(())
    };
    desk.0.ending.tasks.spawn(TaskKind::Request, "post", work);
    answer.await.ok()
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let only = values.next().filter(|_| values.next().is_none());
    let text = only.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_long() -> Response {
    let text = format!("a frame has at most {MAX_FRAME} bytes");
    refusal(StatusCode::PAYLOAD_TOO_LARGE, &Error::new(ErrorKind::InvalidRequest, text))
}
