//! The examples of section 7 of the JSON-RPC 2.0 specification, over three doors.

use futures::{SinkExt, StreamExt};
use orchflow_types::PaneId;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::daemon::{Daemon, pane, soon, until};
use crate::http::websocket;

/// A frame, and its answer; none when it gets none. Answers' messages are left out.
fn examples(pane: PaneId) -> Vec<(String, Option<Value>)> {
    let params = format!(r#"{{"pane_id":"{pane}","text":"noted"}}"#);
    let error = |id: Value, code: i32| Some(json!({"jsonrpc":"2.0","id":id,"error":code}));
    let invalid = || json!({"jsonrpc":"2.0","id":null,"error":-32600});
    let done = |id: Value| json!({"jsonrpc":"2.0","id":id,"result":{}});
    let calls = |text: &str| text.replace("$P", &params);
    vec![
        // Named parameters, with ids of each kind.
        (calls(r#"{"jsonrpc":"2.0","method":"pane.write","params":$P,"id":3}"#), Some(done(json!(3)))),
        (calls(r#"{"jsonrpc":"2.0","id":"four","params":$P,"method":"pane.write"}"#), Some(done(json!("four")))),
        // Positional parameters are not what these methods take.
        (r#"{"jsonrpc":"2.0","method":"pane.write","params":[42,23],"id":1}"#.into(), error(json!(1), -32602)),
        // Notifications, of a method there is and of one there is not.
        (calls(r#"{"jsonrpc":"2.0","method":"pane.write","params":$P}"#), None),
        (r#"{"jsonrpc":"2.0","method":"foobar"}"#.into(), None),
        (r#"{"jsonrpc":"2.0","method":"foobar","id":"1"}"#.into(), error(json!("1"), -32601)),
        (r#"{"jsonrpc":"2.0","method":"foobar, "params":"bar","baz]"#.into(), error(json!(null), -32700)),
        (r#"{"jsonrpc":"2.0","method":1,"params":"bar"}"#.into(), error(json!(null), -32600)),
        (r#"[{"jsonrpc":"2.0","method":"sum","params":[1,2,4],"id":"1"},{"jsonrpc":"2.0","method"]"#.into(), error(json!(null), -32700)),
        ("[]".into(), error(json!(null), -32600)),
        ("[1]".into(), Some(json!([invalid()]))),
        ("[1,2,3]".into(), Some(json!([invalid(), invalid(), invalid()]))),
        (
            calls(
                r#"[{"jsonrpc":"2.0","method":"pane.write","params":$P,"id":"1"},
                    {"jsonrpc":"2.0","method":"pane.write","params":$P},
                    {"foo":"boo"},
                    {"jsonrpc":"2.0","method":"foo.get","params":{"name":"myself"},"id":"5"},
                    {"jsonrpc":"2.0","method":"system.health","id":"9"}]"#,
            )
            .replace('\n', ""),
            Some(json!([
                done(json!("1")),
                invalid(),
                {"jsonrpc":"2.0","id":"5","error":-32601},
                {"jsonrpc":"2.0","id":"9","result":{"ok":true,"checks":[]}},
            ])),
        ),
        (
            calls(r#"[{"jsonrpc":"2.0","method":"pane.write","params":$P},{"jsonrpc":"2.0","method":"foobar"}]"#),
            None,
        ),
    ]
}

/// Errors by their code alone.
fn bare(mut answer: Value) -> Value {
    match &mut answer {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = bare(item.take())),
        Value::Object(fields) => {
            if let Some(error) = fields.get_mut("error") {
                assert!(error["data"]["kind"].is_string(), "{error}");
                *error = error["code"].take();
            }
        }
        _ => panic!("no answer: {answer}"),
    }
    answer
}

const LAST: &str = r#"{"jsonrpc":"2.0","method":"system.health","id":"last"}"#;

#[tokio::test]
async fn the_socket_answers_the_examples_of_the_specification() {
    let (daemon, pane) = (Daemon::start().await, pane());
    for (frame, expected) in examples(pane) {
        let mut wire = daemon.wire().await;
        wire.send(&frame).await;
        if expected.is_none() {
            wire.send(LAST).await; // the only answer, then
        }
        let answer = wire.next().await.unwrap();
        match expected {
            Some(expected) => assert_eq!(bare(answer), expected, "{frame}"),
            None => assert_eq!(answer["id"], "last", "{frame}"),
        }
    }
    until("notifications are done", || daemon.desk.written(pane).len() == 6).await;
}

#[tokio::test]
async fn a_websocket_answers_the_examples_of_the_specification() {
    let (daemon, pane) = (Daemon::start().await, pane());
    for (frame, expected) in examples(pane) {
        let mut socket = websocket(&daemon).await;
        socket.send(Message::text(frame.clone())).await.unwrap();
        if expected.is_none() {
            socket.send(Message::text(LAST)).await.unwrap();
        }
        let message = soon(socket.next()).await.unwrap().unwrap();
        let answer: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        match expected {
            Some(expected) => assert_eq!(bare(answer), expected, "{frame}"),
            None => assert_eq!(answer["id"], "last", "{frame}"),
        }
    }
    until("notifications are done", || daemon.desk.written(pane).len() == 6).await;
}

#[tokio::test]
async fn http_answers_the_examples_of_the_specification() {
    let (daemon, pane) = (Daemon::start().await, pane());
    for (frame, expected) in examples(pane) {
        let answer = daemon.post(&frame).await;
        match expected {
            Some(expected) => {
                assert_eq!(answer.status(), 200, "{frame}");
                let body = serde_json::from_str(answer.body()).unwrap();
                assert_eq!(bare(body), expected, "{frame}");
            }
            None => assert_eq!((answer.status(), answer.body()), (204, ""), "{frame}"),
        }
    }
    assert_eq!(daemon.desk.written(pane).len(), 6);
}
