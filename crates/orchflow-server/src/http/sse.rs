//! `GET /events`: the event log as server-sent events; the id of each is its cursor.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use orchflow_protocol::Error;
use orchflow_types::Cursor;

use super::guard::Session;
use super::{Desk, query, refusal};
use crate::events::Follow;

/// How often a comment shows that the connection is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// Follows events until the client hangs up, its token is rotated or the daemon stops.
/// A browser that comes back says by
/// `Last-Event-ID` what it saw last, and goes on there.
pub(super) async fn follow(
    State(desk): State<Desk>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Response {
    let params = query::read(request.uri()).and_then(|mut params| {
        params.after = last_seen(request.headers())?.or(params.after);
        Ok(params)
    });
    let params = match params {
        Ok(params) => params,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error),
    };
    let opened = Follow::open(desk.0.serves.store.clone(), params.after, params.filter).await;
    let follow = match opened {
        Ok(follow) => follow,
        Err(error) => return refusal(StatusCode::SERVICE_UNAVAILABLE, &error),
    };
    let over = async move {
        tokio::select! {
            () = session.revoked.cancelled() => {}
            () = desk.0.ending.stop.cancelled() => {}
        }
    };
    // Read page by page as the client takes them: a slow one holds one page, no more.
    let pages = stream::unfold(follow, |mut follow| async move {
        let events = follow.next(Duration::ZERO).await?;
        Some((stream::iter(events), follow))
    });
    let events = pages.flatten().map(|event| {
        let data = serde_json::to_string(&event).expect("an event came out of JSON");
        Ok::<_, Infallible>(Sent::default().id(event.cursor.to_string()).data(data))
    });
    let sent = events.take_until(Box::pin(over));
    Sse::new(sent).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

fn last_seen(headers: &HeaderMap) -> Result<Option<Cursor>, Error> {
    let Some(last) = headers.get("last-event-id") else { return Ok(None) };
    query::cursor(last.to_str().unwrap_or_default()).map(Some)
}
