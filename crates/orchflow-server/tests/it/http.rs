//! The HTTP door: nothing before the guard, and what it answers behind it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use futures::{SinkExt, StreamExt};
use orchflow_protocol::Access;
use orchflow_server::http::{self, ROUTES};
use orchflow_server::{Error, Tokens};
use orchflow_types::{ErrorKind, Explain};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::daemon::{Daemon, pane, soon, write_call};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An open WebSocket, its first message read.
pub(crate) async fn websocket(daemon: &Daemon) -> Socket {
    let mut socket = dial(daemon, &[("authorization", &daemon.bearer())]).await.unwrap();
    let hello = soon(socket.next()).await.unwrap().unwrap();
    let hello: Value = serde_json::from_str(hello.to_text().unwrap()).unwrap();
    assert_eq!(hello["method"], "system.hello");
    socket
}

async fn dial(daemon: &Daemon, headers: &[(&str, &str)]) -> Result<Socket, u16> {
    let mut request = format!("ws://{}/ws", daemon.host()).into_client_request().unwrap();
    for (name, value) in headers {
        let name: tungstenite::http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn every_route_and_every_missing_one_wants_a_token() {
    let daemon = Daemon::start().await;
    let host = daemon.host();
    let routes = ROUTES.iter().map(|route| (route.method, route.path));
    let others = [
        ("GET", "/"),
        ("GET", "/no/such"),
        ("GET", "/rpc"),
        ("DELETE", "/rpc"),
        ("OPTIONS", "/rpc"),
    ];
    let wrong = format!("Bearer admin_{}", "0".repeat(64));
    let basic = format!("Basic {}", daemon.token);
    let in_query = format!("?token={0}&access_token={0}", daemon.token);
    for (method, path) in routes.chain(others) {
        for authorization in [None, Some(&*wrong), Some(&*basic), Some("Bearer"), Some("Bearer ")] {
            let mut headers = vec![("Host", &*host), ("Content-Type", "application/json")];
            headers.extend(authorization.map(|value| ("Authorization", value)));
            let body = if method == "POST" { write_call("1", pane(), "x") } else { String::new() };
            let answer = daemon.http(&format!("{method} {path}{in_query}"), &headers, &body).await;
            assert_eq!(answer.status(), 401, "{method} {path} {authorization:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    assert!(daemon.desk.written.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_guard_answers_before_the_body_is_read() {
    let daemon = Daemon::start().await;
    let host = daemon.host();
    // A body is announced and never comes: only who does not read it can answer.
    let headers = [("Host", &*host), ("Content-Type", "application/json"), ("Content-Length", "9")];
    let answer = soon(daemon.http("POST /rpc", &headers, "")).await;
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn two_tokens_in_one_request_are_none() {
    let daemon = Daemon::start().await;
    let (host, bearer) = (daemon.host(), daemon.bearer());
    let twice = [("Host", &*host), ("Authorization", &*bearer), ("Authorization", &*bearer)];
    assert_eq!(daemon.http("GET /health", &twice, "").await.status(), 401);
}

#[tokio::test]
async fn only_our_own_names_pass_as_host() {
    let daemon = Daemon::start().await;
    let (port, bearer) = (daemon.port, daemon.bearer());
    let try_hosts = async |hosts: &[&str]| {
        let mut headers = vec![("Authorization", &*bearer)];
        headers.extend(hosts.iter().map(|host| ("Host", *host)));
        daemon.http("GET /health", &headers, "").await.status()
    };
    for ours in ["127.0.0.1", "localhost", "[::1]"] {
        assert_eq!(try_hosts(&[&format!("{ours}:{port}")]).await, 200, "{ours}");
    }
    let ours = format!("127.0.0.1:{port}");
    let foreign = [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("evil127.0.0.1:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("user@localhost:{port}"),
        format!("0.0.0.0:{port}"),
        format!("127.1:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        "localhost".to_owned(),
        "localhost:".to_owned(),
        format!("localhost:{port}0"),
        format!("localhost:0{port}"),
        "localhost:1".to_owned(),
        String::new(),
    ];
    for host in &foreign {
        assert_eq!(try_hosts(&[host]).await, 403, "{host:?}");
    }
    assert_eq!(try_hosts(&[&ours, &ours]).await, 403, "two Host headers");
    assert_eq!(try_hosts(&[&ours, "evil.example"]).await, 403, "two Host headers");
    // Without any, the server below us answers 400 by itself or the guard 403.
    assert!([400, 403].contains(&try_hosts(&[]).await));
    let headers = [("Host", &*ours), ("Authorization", &*bearer)];
    let named = daemon.http(&format!("GET http://evil.example:{port}/health"), &headers, "").await;
    assert_eq!(named.status(), 403, "a host in the request line");
}

#[tokio::test]
async fn a_foreign_origin_is_refused_even_with_a_token() {
    let daemon = Daemon::start().await;
    let (host, bearer, port) = (daemon.host(), daemon.bearer(), daemon.port);
    let basis = [("Host", &*host), ("Authorization", &*bearer)];
    let own = format!("http://{host}");
    let mut foreign = vec![
        "null".to_owned(),
        String::new(),
        "https://evil.example".to_owned(),
        format!("http://evil.example:{port}"),
        format!("http://127.0.0.1:{port}.evil.example"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("https://127.0.0.1:{port}"),
        "http://127.0.0.1".to_owned(),
        "http://127.0.0.1:1".to_owned(),
        format!("http://localhost:{port}"), // ours, but not the page's own host
        format!("{own}/"),
        format!("{own} {own}"),
    ];
    foreign.push(format!("chrome-extension://{host}"));
    for origin in &foreign {
        for route in ROUTES {
            let mut headers = basis.to_vec();
            headers.push(("Origin", origin));
            let head = format!("{} {}", route.method, route.path);
            assert_eq!(daemon.http(&head, &headers, "").await.status(), 403, "{head} {origin:?}");
        }
        let dialled = dial(&daemon, &[("authorization", &bearer), ("origin", origin)]).await;
        assert_eq!(dialled.err(), Some(403), "/ws {origin:?}");
    }
    let with = async |more: &[(&str, &str)]| {
        daemon.http("GET /health", &[&basis, more].concat(), "").await.status()
    };
    assert_eq!(with(&[("Origin", &own)]).await, 200);
    assert_eq!(with(&[("Origin", &own), ("Origin", &own)]).await, 403);
    assert_eq!(with(&[("Sec-Fetch-Site", "cross-site")]).await, 403);
    assert_eq!(with(&[("Sec-Fetch-Site", "same-site")]).await, 403);
    assert_eq!(with(&[("Sec-Fetch-Site", "same-origin")]).await, 200);
}

#[tokio::test]
async fn a_form_post_of_a_web_page_has_no_effect() {
    let (daemon, pane) = (Daemon::start().await, pane());
    let (host, bearer) = (daemon.host(), daemon.bearer());
    let body = write_call("1", pane, "x");
    let types = [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonx",
        "",
    ];
    for kind in types {
        let headers = [("Host", &*host), ("Authorization", &*bearer), ("Content-Type", kind)];
        assert_eq!(daemon.http("POST /rpc", &headers, &body).await.status(), 415, "{kind}");
    }
    let none = [("Host", &*host), ("Authorization", &*bearer)];
    assert_eq!(daemon.http("POST /rpc", &none, &body).await.status(), 415);
    assert!(daemon.desk.written(pane).is_empty());
    let charset = ("Content-Type", "application/json; charset=utf-8");
    assert_eq!(daemon.http("POST /rpc", &[none[0], none[1], charset], &body).await.status(), 200);
    assert_eq!(daemon.desk.written(pane), ["x"]);
}

#[tokio::test]
async fn get_calls_nothing_and_what_is_not_there_is_404() {
    let daemon = Daemon::start().await;
    assert_eq!(daemon.get("/rpc?method=system.shutdown").await.status(), 405);
    assert_eq!(daemon.get("/no/such").await.status(), 404);
    assert_eq!(daemon.get("/events?types=no.such").await.status(), 400);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let daemon = Daemon::start().await;
    let (host, bearer) = (daemon.host(), daemon.bearer());
    let json = ("Content-Type", "application/json");
    let basis = [("Host", &*host), ("Authorization", &*bearer), json];
    let announced = [&basis[..], &[("Content-Length", "16777217")]].concat();
    assert_eq!(daemon.http("POST /rpc", &announced, "").await.status(), 413);
}

#[tokio::test]
async fn health_metrics_and_open_rpc_answer_who_has_a_token() {
    let daemon = Daemon::start().await;
    let health = daemon.get("/health").await;
    assert_eq!((health.status(), health.body()), (200, r#"{"checks":[],"ok":true}"#));
    daemon.append(0..1, "a").await;
    daemon.post(&write_call("1", pane(), "x")).await;
    daemon.post(r#"{"jsonrpc":"2.0","id":1,"method":"no.such"}"#).await;
    let metrics = daemon.get("/metrics").await;
    for line in [
        "orchflow_build_info{version=\"0.1.0\",protocol=\"1\"} 1",
        "# TYPE orchflow_uptime_seconds gauge",
        "orchflow_panes{state=\"running\"} 3",
        "# TYPE orchflow_requests_total counter",
        "orchflow_requests_total{method=\"pane.write\",outcome=\"ok\"} 1",
        "orchflow_requests_total{method=\"unknown\",outcome=\"method_not_found\"} 1",
        "orchflow_store_transactions_total 1",
        "orchflow_store_fsyncs_total 1",
    ] {
        assert!(metrics.body().lines().any(|found| found == line), "{line} in {}", metrics.body());
    }
    assert!(!metrics.0.contains(&daemon.token));
    let document: Value = serde_json::from_str(daemon.get("/openrpc.json").await.body()).unwrap();
    assert!(document["methods"].as_array().is_some_and(|methods| methods.len() > 50));
}

#[tokio::test]
async fn a_token_gives_its_level_and_no_more() {
    let (daemon, pane) = (Daemon::start().await, pane());
    let (host, bearer) = (daemon.host(), format!("Bearer {}", daemon.reader));
    let json = ("Content-Type", "application/json");
    let headers = [("Host", &*host), ("Authorization", &*bearer), json];
    let written = daemon.http("POST /rpc", &headers, &write_call("1", pane, "x")).await;
    assert!(written.body().contains("permission_denied"), "{}", written.0);
    assert!(daemon.desk.written(pane).is_empty());
    assert_eq!(daemon.http("GET /health", &headers, "").await.status(), 200);
    let grant = daemon.tokens.check(daemon.token.as_bytes());
    assert_eq!(grant.map(|grant| grant.access), Some(Access::Admin));
    let raised = daemon.reader.replace("read_", "admin_");
    assert!(daemon.tokens.check(raised.as_bytes()).is_none(), "the level is part of the token");
    assert!(daemon.tokens.check(b"").is_none());
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn the_token_file_is_0600_and_one_that_others_can_read_is_refused() {
    let daemon = Daemon::start().await;
    let path = daemon.tokens.path();
    assert_eq!(mode(path), 0o600);
    let digits = daemon.token.strip_prefix("admin_").unwrap();
    assert_eq!(digits.len(), 64, "256 bits");
    assert!(Tokens::open(path).unwrap().check(daemon.token.as_bytes()).is_some(), "it is kept");
    for open in [0o640, 0o604, 0o660, 0o610] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(open)).unwrap();
        let error = Tokens::open(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{open:o}");
    }
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    let link = daemon.folder.path().join("link");
    std::os::unix::fs::symlink(path, &link).unwrap();
    assert!(matches!(Tokens::open(&link), Err(Error::TokenFile { .. })), "a link is refused");
    std::fs::write(path, "secret-ish words\n").unwrap();
    let error = Tokens::open(path).unwrap_err();
    assert!(matches!(error, Error::NoToken { line: 1, .. }));
    assert!(!error.to_string().contains("secret-ish"), "what it holds is not told");
}

#[tokio::test]
async fn rotation_ends_live_sessions_and_the_old_token() {
    let daemon = Daemon::start().await;
    let mut socket = websocket(&daemon).await;
    socket
        .send(Message::text(r#"{"jsonrpc":"2.0","id":1,"method":"events.subscribe"}"#))
        .await
        .unwrap();
    soon(socket.next()).await.unwrap().unwrap();
    let mut follow = TcpStream::connect(("127.0.0.1", daemon.port)).await.unwrap();
    let (host, bearer) = (daemon.host(), daemon.bearer());
    let request =
        format!("GET /events HTTP/1.1\r\nHost: {host}\r\nAuthorization: {bearer}\r\n\r\n");
    follow.write_all(request.as_bytes()).await.unwrap();
    let mut begin = [0; 15];
    soon(follow.read_exact(&mut begin)).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200 OK");
    assert_eq!(daemon.get("/metrics").await.status(), 200);
    daemon.tokens.rotate().unwrap();
    assert_eq!(daemon.get("/metrics").await.status(), 401);
    let mut rest = Vec::new();
    let to_its_end = async {
        while !rest.ends_with(b"\r\n0\r\n\r\n") {
            assert_ne!(follow.read_buf(&mut rest).await.unwrap(), 0, "the stream was cut off");
        }
    };
    soon(to_its_end).await;
    let closed = async {
        while let Some(Ok(message)) = socket.next().await {
            assert!(message.is_close(), "{message:?}");
        }
    };
    soon(closed).await;
    let fresh = std::fs::read_to_string(daemon.tokens.path()).unwrap();
    assert_eq!(mode(daemon.tokens.path()), 0o600);
    let fresh: Vec<_> = fresh.lines().collect();
    assert!(fresh.iter().all(|token| daemon.tokens.check(token.as_bytes()).is_some()));
    assert!(fresh.len() == 2 && fresh[0] != daemon.token && fresh[1] != daemon.reader);
    assert_eq!(dial(&daemon, &[("authorization", &daemon.bearer())]).await.err(), Some(401));
}

#[tokio::test]
async fn an_address_other_machines_reach_is_refused_with_the_reason() {
    let daemon = Daemon::start().await;
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:7777"] {
        let token_file = daemon.folder.path().join("unused");
        let options = http::Options { listen: listen.parse().unwrap(), token_file };
        let serves = http::Serves {
            table: daemon.table.clone(),
            store: daemon.store.clone(),
            gauges: http::Gauges::new(|| Box::pin(std::future::ready(Ok(Vec::new())))),
        };
        let error = options.bind(serves).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{listen}");
        assert!(error.to_string().contains("TLS"), "{error}");
    }
    assert!(!daemon.folder.path().join("unused").exists());
}

#[tokio::test]
async fn a_message_over_the_limit_ends_its_websocket_and_nothing_else() {
    let daemon = Daemon::start().await;
    let mut socket = websocket(&daemon).await;
    let long = "x".repeat(orchflow_protocol::rpc::MAX_FRAME + 1);
    let _ = socket.send(Message::text(long)).await; // the door may hang up half way
    while let Some(Ok(message)) = soon(socket.next()).await {
        if let Message::Text(text) = message {
            assert!(text.contains("-32600"), "{text}");
        }
    }
    websocket(&daemon).await;
    assert_eq!(daemon.get("/health").await.status(), 200);
}
