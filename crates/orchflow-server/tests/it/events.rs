//! Event subscriptions: nobody misses anything, whatever door and pace.

use std::ops::Range;

use futures::{SinkExt, StreamExt};
use orchflow_client::Client;
use orchflow_protocol::events::{Filter, List, ListParams, SubscribeParams};
use orchflow_types::{Cursor, Event};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::daemon::{Daemon, soon};
use crate::http::websocket;

const EVENTS: usize = 5_000;

fn number(event: &Value) -> usize {
    usize::try_from(event["data"]["n"].as_u64().unwrap()).unwrap()
}

async fn by_client(client: Client, batch_ms: u32) {
    let params = SubscribeParams { after: Some(Cursor(0)), batch_ms, ..Default::default() };
    let mut events = client.events(params).await.unwrap();
    for n in 0..EVENTS {
        let event: Event = soon(events.next()).await.unwrap().unwrap();
        assert_eq!(event.data["n"], n);
    }
}

async fn by_websocket(daemon: &Daemon) -> impl Future<Output = ()> + Send + use<> {
    let mut socket = websocket(daemon).await;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"events.subscribe","params":{"after":0}}"#;
    socket.send(Message::text(call)).await.unwrap();
    async move {
        let first = soon(socket.next()).await.unwrap().unwrap();
        let answer: Value = serde_json::from_str(first.to_text().unwrap()).unwrap();
        assert_eq!(answer["id"], 1, "the answer comes before the first batch");
        let mut next = 0;
        while next < EVENTS {
            let message = soon(socket.next()).await.unwrap().unwrap();
            let frame: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
            for event in frame["params"]["events"].as_array().unwrap() {
                assert_eq!(number(event), next);
                next += 1;
            }
        }
    }
}

/// Reads events from an SSE answer until it has seen those of `numbers`.
async fn by_sse(daemon: &Daemon, query: &str, more: &str, numbers: Range<usize>) -> u64 {
    let mut stream = TcpStream::connect(("127.0.0.1", daemon.port)).await.unwrap();
    let (host, bearer) = (daemon.host(), daemon.bearer());
    let request = format!(
        "GET /events{query} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {bearer}\r\n{more}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    let (mut id, mut next) = (0, numbers.start);
    while next < numbers.end {
        let line = soon(lines.next_line()).await.unwrap().unwrap();
        if let Some(text) = line.strip_prefix("id: ") {
            id = text.parse().unwrap();
        } else if let Some(text) = line.strip_prefix("data: ") {
            let event: Value = serde_json::from_str(text).unwrap();
            assert_eq!(number(&event), next);
            next += 1;
        }
    }
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_subscribers_miss_nothing_while_five_thousand_events_are_written() {
    let daemon = Daemon::start().await;
    let mut subscribers = JoinSet::new();
    for n in 0..8 {
        subscribers.spawn(by_client(daemon.in_process.clone(), n % 2 * 20));
        subscribers.spawn(by_client(daemon.client().await, n % 2 * 20));
    }
    for _ in 0..2 {
        subscribers.spawn(by_websocket(&daemon).await);
    }
    let write = async {
        for start in (0..EVENTS).step_by(10) {
            daemon.append(start..start + 10, "the tests").await;
        }
    };
    tokio::join!(
        write,
        by_sse(&daemon, "?after=0", "", 0..EVENTS),
        by_sse(&daemon, "?after=0&types=task.updated", "", 0..EVENTS),
    );
    while let Some(done) = subscribers.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_subscriber_that_says_no_place_begins_now_and_a_filter_leaves_others_out() {
    let daemon = Daemon::start().await;
    daemon.append(0..3, "before").await;
    let filter = Filter { about: Some("mine".to_owned()), ..Filter::default() };
    let params = SubscribeParams { filter, ..Default::default() };
    let mut events = daemon.client().await.events(params).await.unwrap();
    daemon.append(3..6, "other").await;
    daemon.append(6..7, "mine").await;
    assert_eq!(soon(events.next()).await.unwrap().unwrap().data["n"], 6);
}

#[tokio::test]
async fn a_browser_that_comes_back_goes_on_after_the_last_event_it_saw() {
    let daemon = Daemon::start().await;
    daemon.append(0..10, "a").await;
    let id = by_sse(&daemon, "?after=0", "", 0..4).await;
    by_sse(&daemon, "?after=0", &format!("Last-Event-ID: {id}\r\n"), 4..10).await;
}

#[tokio::test]
async fn the_list_goes_page_by_page() {
    let daemon = Daemon::start().await;
    daemon.append(0..25, "a").await;
    let (mut after, mut seen) = (Cursor(0), Vec::new());
    while seen.len() < 25 {
        let params = ListParams { after, limit: Some(10), ..Default::default() };
        let page = daemon.in_process.call::<List>(params).await.unwrap();
        assert!(!page.events.is_empty() && page.events.len() <= 10);
        seen.extend(page.events.iter().map(|event| event.data["n"].as_u64().unwrap()));
        after = page.next_cursor;
    }
    assert_eq!(seen, (0..25).collect::<Vec<u64>>());
}

#[tokio::test]
async fn an_unsubscribed_connection_hears_no_more_and_a_post_cannot_subscribe() {
    let daemon = Daemon::start().await;
    let mut wire = daemon.wire().await;
    wire.send(r#"{"jsonrpc":"2.0","id":1,"method":"events.subscribe"}"#).await;
    let name = wire.next().await.unwrap()["result"]["subscription_id"].as_u64().unwrap();
    daemon.append(0..1, "a").await;
    assert_eq!(wire.next().await.unwrap()["method"], "events.batch");
    let end = |id| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"events.unsubscribe","params":{{"subscription_id":{name}}}}}"#
        )
    };
    wire.send(&end(2)).await;
    assert_eq!(wire.next().await.unwrap()["id"], 2);
    daemon.append(1..2, "a").await;
    wire.send(&end(3)).await;
    assert_eq!(wire.next().await.unwrap()["error"]["data"]["kind"], "not_found");
    let answer = daemon.post(r#"{"jsonrpc":"2.0","id":1,"method":"events.subscribe"}"#).await;
    assert!(answer.body().contains("unsupported"), "{}", answer.0);
}
