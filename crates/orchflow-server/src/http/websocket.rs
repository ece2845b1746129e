//! `GET /ws`: the frames of the Unix socket, one a message, the first message included.

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use orchflow_protocol::Error;
use orchflow_protocol::rpc::MAX_FRAME;
use orchflow_runtime::TaskKind;

use super::Desk;
use super::guard::Session;
use crate::connection::{Connection, Queue};

/// Takes the connection over.
pub(super) async fn open(
    State(desk): State<Desk>,
    Extension(session): Extension<Session>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.max_message_size(MAX_FRAME).max_frame_size(MAX_FRAME).on_upgrade(async move |socket| {
        let tasks = desk.0.ending.tasks.clone();
        let work = serve(socket, desk, session);
        tasks.spawn(TaskKind::Connection, "websocket", work);
    })
}

async fn serve(socket: WebSocket, desk: Desk, session: Session) -> Result<(), Error> {
    let (table, ending) = (desk.0.serves.table.clone(), desk.0.ending.clone());
    let (connection, queue) = Connection::open(table, session.caller.clone(), ending);
    let (write, read) = socket.split();
    let revoked = session.revoked.clone();
    tokio::join!(read_all(read, connection, session), write_all(write, queue));
    if revoked.is_cancelled() {
        tracing::info!("a WebSocket ended: its token was rotated");
    }
    Ok(())
}

async fn read_all(mut read: SplitStream<WebSocket>, connection: Connection, session: Session) {
    loop {
        let message = tokio::select! {
            message = read.next() => message,
            () = connection.stopped() => None,
            () = session.revoked.cancelled() => return connection.end(),
        };
        let frame = match message {
            Some(Ok(Message::Text(text))) => text.into(),
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue, // answered below us
            Some(Err(_)) => {
                // Too long, or no WebSocket any more; where nobody reads, nothing is lost.
                connection.too_long().await;
                break;
            }
            Some(Ok(Message::Close(_))) | None => break,
        };
        tokio::select! {
            () = connection.frame(&frame) => {}
            () = session.revoked.cancelled() => return connection.end(),
        }
    }
    tokio::select! {
        () = connection.finish() => {}
        () = session.revoked.cancelled() => connection.end(),
    }
}

async fn write_all(mut write: SplitSink<WebSocket, Message>, mut queue: Queue) {
    let ended = queue.ended();
    while let Some(outgoing) = queue.next().await {
        let message = Message::Text(outgoing.text.as_str().into());
        // A client that does not read must not keep the connection from being dropped.
        let written = tokio::select! {
            written = write.send(message) => written.is_ok(),
            () = ended.cancelled() => false,
        };
        if !written {
            return;
        }
    }
    let goodbye = CloseFrame { code: close_code::AWAY, reason: "the connection is over".into() };
    // Best effort: the other side may be gone, or not reading.
    let _ = tokio::time::timeout(
        std::time::Duration::from_secs(1),
        write.send(Message::Close(Some(goodbye))),
    )
    .await;
}
