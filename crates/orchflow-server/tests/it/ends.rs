//! How doors end: nobody new, time for what is under way, and no more than that.

use orchflow_types::pane::Size;
use tokio::net::UnixStream;

use crate::daemon::{Daemon, Wire, pane, soon, until};

async fn under_way(daemon: &Daemon) -> Wire {
    let mut wire = daemon.wire().await;
    let size = serde_json::to_string(&Size::default()).unwrap();
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"pane.resize","params":{{"pane_id":"{}","size":{size}}}}}"#,
        pane()
    );
    wire.send(&call).await;
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
