//! Order keys, panics and access, as callers meet them.

use std::collections::HashMap;

use orchflow_client::Payload;
use orchflow_protocol::method::Empty;
use orchflow_protocol::{Error, Method, pane, system};
use orchflow_server::Caller;
use orchflow_types::ErrorKind;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::daemon::{Daemon, pane, write_call};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_calls_on_ten_keys_from_ten_connections_keep_their_order() {
    let daemon = Daemon::start().await;
    let panes: Vec<_> = (0..10).map(|_| pane()).collect();
    let mut connections = JoinSet::new();
    for connection in 0..10 {
        let (mut wire, panes) = (daemon.wire().await, panes.clone());
        connections.spawn(async move {
            let mut lines = String::new();
            for n in 0..100 {
                let text = format!("{connection}:{n}");
                lines += &write_call(&n.to_string(), panes[n % 10], &text);
                lines.push('\n');
            }
            wire.write.write_all(lines.as_bytes()).await.unwrap();
            for _ in 0..100 {
                assert!(wire.next().await.unwrap().get("error").is_none());
            }
        });
    }
    while let Some(done) = connections.join_next().await {
        done.unwrap();
    }
    assert!(!daemon.desk.overlapped(), "two calls with one key ran at once");
    for pane in panes {
        let written = daemon.desk.written(pane);
        assert_eq!(written.len(), 100);
        let mut last: HashMap<String, usize> = HashMap::new();
        for text in written {
            let (connection, n) = text.split_once(':').unwrap();
            let n = n.parse().unwrap();
            let before = last.insert(connection.to_owned(), n);
            assert!(before.is_none_or(|before| before < n), "{text} came after {before:?}");
        }
    }
}

#[tokio::test]
async fn a_panic_in_a_handler_is_an_error_of_that_call_and_of_nothing_else() {
    let (daemon, pane) = (Daemon::start().await, pane());
    let mut wire = daemon.wire().await;
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"pane.close_stdin","params":{{"pane_id":"{pane}"}}}}"#
    );
    wire.send(&call).await;
    let answer = wire.next().await.unwrap();
    assert_eq!(answer["error"]["code"], -32603);
    assert_eq!(answer["error"]["data"]["kind"], "internal");
    // The same connection, and the same order key, go on.
    wire.send(&write_call("2", pane, "still here")).await;
    assert_eq!(wire.next().await.unwrap()["result"], serde_json::json!({}));
    let params = pane::PaneParams { pane_id: pane };
    let error = daemon.in_process.call::<pane::CloseStdin>(params).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn the_orchestrator_may_not_do_what_needs_more_than_run_access() {
    let daemon = Daemon::start().await;
    let error = daemon.in_process.call::<system::Shutdown>(Empty {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    daemon.client().await.call::<system::Shutdown>(Empty {}).await.unwrap();
}

#[tokio::test]
async fn access_is_checked_before_params_are_read() {
    let daemon = Daemon::start().await;
    let bad = Payload::Json(serde_json::json!("no params at all"));
    let caller = Caller::orchestrator();
    let error = daemon.table.start(&caller, system::Shutdown::NAME, bad).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn typed_calls_and_calls_in_json_reach_the_same_handler() {
    let (daemon, pane) = (Daemon::start().await, pane());
    let params = serde_json::json!({ "pane_id": pane, "text": "a" });
    let typed: pane::WriteParams = serde_json::from_value(params.clone()).unwrap();
    daemon.in_process.call::<pane::Write>(typed).await.unwrap();
    daemon.in_process.call_json("pane.write", params).await.unwrap();
    assert_eq!(daemon.desk.written(pane), ["a", "a"]);
}

#[tokio::test]
async fn a_table_knows_which_methods_have_no_row_and_can_grow() {
    let daemon = Daemon::start().await;
    let missing = daemon.table.missing();
    assert!(missing.contains(&"task.start") && !missing.contains(&"pane.write"));
    assert!(!missing.contains(&"rpc.discover"));
    let more = daemon
        .table
        .extend()
        .on::<system::Info>(|(), _| async {
            Err::<system::InfoResult, _>(Error::new(ErrorKind::Unsupported, "not here"))
        })
        .build();
    assert_eq!(more.missing().len(), missing.len() - 1);
}
