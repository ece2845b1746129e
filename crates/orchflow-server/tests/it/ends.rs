//! How doors end: nobody new, time for what is under way, and no more than that.

use std::time::Duration;

use futures::StreamExt;
use orchflow_protocol::events::SubscribeParams;
use orchflow_protocol::method::Empty;
use orchflow_protocol::pane::{Resize, ResizeParams};
use orchflow_protocol::system::Health;
use orchflow_types::ErrorKind;
use orchflow_types::pane::Size;
use tokio::net::{TcpStream, UnixStream};

use crate::daemon::{Daemon, Wire, pane, soon, until, waiting_call};
use crate::http::websocket;

async fn under_way(daemon: &Daemon) -> Wire {
    let mut wire = daemon.wire().await;
    wire.send(&waiting_call()).await;
    // An answered call after it on the same connection: the first was read.
    wire.send(r#"{"jsonrpc":"2.0","id":2,"method":"system.health"}"#).await;
    assert_eq!(wire.next().await.unwrap()["id"], 2);
    wire
}

#[tokio::test]
async fn a_call_under_way_is_answered_before_the_door_is_shut() {
    let daemon = Daemon::start().await;
    let mut wire = under_way(&daemon).await;
    daemon.supervisor.shutdown().cancel();
    until("the socket is gone", || !daemon.socket.exists()).await;
    assert!(UnixStream::connect(&daemon.socket).await.is_err());
    daemon.desk.gate.add_permits(1);
    assert_eq!(wire.next().await.unwrap()["id"], 1);
    assert!(wire.next().await.is_none());
}

#[tokio::test]
async fn a_call_that_does_not_end_is_dropped_after_its_time() {
    let daemon = Daemon::start().await;
    let mut wire = under_way(&daemon).await;
    daemon.supervisor.shutdown().cancel();
    assert!(soon(wire.next()).await.is_none());
}

#[tokio::test]
async fn the_http_door_answers_what_is_under_way_and_ends_what_would_go_on() {
    let daemon = Daemon::start().await;
    let mut socket = websocket(&daemon).await;
    let call = waiting_call();
    let end = async {
        until("the call waits", || daemon.desk.waiting() == 1).await;
        daemon.supervisor.shutdown().cancel();
        while let Some(Ok(message)) = soon(socket.next()).await {
            assert!(message.is_close(), "{message:?}");
        }
        daemon.desk.gate.add_permits(1);
    };
    let (answer, followed, ()) =
        soon(async { tokio::join!(daemon.post(&call), daemon.get("/events"), end) }).await;
    assert_eq!((answer.status(), followed.status()), (200, 200));
    let refused = async { while TcpStream::connect(("127.0.0.1", daemon.port)).await.is_ok() {} };
    soon(refused).await;
}

#[tokio::test]
async fn the_endpoint_answers_what_is_under_way_and_ends_though_its_clients_live_on() {
    let daemon = Daemon::start().await;
    let mut events = daemon.in_process.events(SubscribeParams::default()).await.unwrap();
    let params = ResizeParams { pane_id: pane(), size: Size::default() };
    let call = daemon.in_process.call::<Resize>(params);
    let end = async {
        until("the call waits", || daemon.desk.waiting() == 1).await;
        daemon.supervisor.shutdown().cancel();
        // Work that is parked now may still call.
        daemon.in_process.call::<Health>(Empty {}).await.unwrap();
        daemon.desk.gate.add_permits(1);
    };
    let (answer, ()) = soon(async { tokio::join!(call, end) }).await;
    answer.unwrap();
    assert_eq!(soon(events.next()).await, Ok(None), "who follows is told of the end");
    let all_ended = tokio::time::timeout(Duration::from_secs(3), daemon.supervisor.wait()).await;
    assert!(all_ended.is_ok(), "no task waits for clients that live on");
    let error = daemon.in_process.call::<Health>(Empty {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
