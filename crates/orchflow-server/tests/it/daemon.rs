//! A small daemon: every door over one table, one store, handlers that keep a record.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use orchflow_client::{Client, connect, in_process};
use orchflow_protocol::method::Empty;
use orchflow_protocol::{Error, pane, system};
use orchflow_runtime::{Clock, Supervisor, TaskKind, ids};
use orchflow_server::http::{Gauge, Gauges, Serves};
use orchflow_server::{Caller, Table, Tokens, http, serve_endpoint, unix};
use orchflow_store::Store;
use orchflow_types::event::NewEvent;
use orchflow_types::pane::Size;
use orchflow_types::{EventType, PaneId};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;

use crate::streams::Tape;

/// What the handlers keep and wait for.
#[derive(Clone)]
pub(crate) struct Desk {
    /// Texts written, by pane, in the order their handlers ended.
    pub(crate) written: Arc<Mutex<HashMap<PaneId, Vec<String>>>>,
    /// Panes whose `pane.write` runs at this moment, and whether two ever ran at once.
    busy: Arc<Mutex<(Vec<PaneId>, bool)>>,
    /// `pane.resize` takes one of these before it answers.
    pub(crate) gate: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Desk {
    pub(crate) fn written(&self, pane: PaneId) -> Vec<String> {
        self.written.lock().unwrap().get(&pane).cloned().unwrap_or_default()
    }

    /// Calls of `pane.resize` that have begun.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    pub(crate) fn overlapped(&self) -> bool {
        self.busy.lock().unwrap().1
    }
}

async fn write(desk: Desk, params: pane::WriteParams) -> Result<Empty, Error> {
    {
        let mut busy = desk.busy.lock().unwrap();
        busy.1 |= busy.0.contains(&params.pane_id);
        busy.0.push(params.pane_id);
    }
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    desk.busy.lock().unwrap().0.retain(|pane| *pane != params.pane_id);
    desk.written.lock().unwrap().entry(params.pane_id).or_default().push(params.text);
    Ok(Empty {})
}

async fn resize(desk: Desk, _: pane::ResizeParams) -> Result<Empty, Error> {
    desk.waiting.fetch_add(1, Ordering::SeqCst);
    desk.gate.acquire().await.unwrap().forget();
    Ok(Empty {})
}

async fn boom(_: Desk, _: pane::PaneParams) -> Result<Empty, Error> {
    panic!("on purpose")
}

async fn read(_: Desk, params: pane::ReadParams) -> Result<pane::ReadResult, Error> {
    let text = "x".repeat(params.limit.unwrap_or(1) as usize);
    Ok(pane::ReadResult { text, ..pane::ReadResult::default() })
}

async fn health(_: Desk, _: Empty) -> Result<system::HealthResult, Error> {
    Ok(system::HealthResult { ok: true, checks: Vec::new() })
}

pub(crate) struct Daemon {
    pub(crate) folder: TempDir,
    pub(crate) desk: Desk,
    pub(crate) tape: Tape,
    pub(crate) table: Table,
    pub(crate) store: Store,
    pub(crate) socket: PathBuf,
    pub(crate) port: u16,
    pub(crate) tokens: Tokens,
    /// Of admin access.
    pub(crate) token: String,
    /// Of read access.
    pub(crate) reader: String,
    pub(crate) in_process: Client,
    pub(crate) supervisor: Supervisor,
}

impl Daemon {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk {
            written: Arc::default(),
            busy: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
            waiting: Arc::default(),
        };
        let at = Clock::system().now();
        let (store, _) = Store::open(&folder.path().join("state.db"), at).unwrap();
        let tape = Tape::default();
        let table = Table::builder()
            .with(&desk)
            .on::<pane::Write>(write)
            .on::<pane::Resize>(resize)
            .on::<pane::CloseStdin>(boom)
            .on::<pane::Read>(read)
            .on::<system::Health>(health)
            .on::<system::Shutdown>(|_, _| async { Ok::<_, Error>(Empty {}) })
            .events(&store)
            .streams(Arc::new(tape.clone()))
            .build();
        let supervisor = Supervisor::new();
        let shutdown = supervisor.shutdown().clone();
        let socket = folder.path().join("run/orchflow.sock");
        let door = unix::Options { path: socket.clone() }.bind(table.clone()).unwrap();
        supervisor.spawn(TaskKind::Vital, "unix", door.run(shutdown.clone()));
        let token_file = folder.path().join("token");
        let token = Tokens::open(&token_file).map(|_| std::fs::read_to_string(&token_file));
        let token = token.unwrap().unwrap().trim().to_owned();
        let reader = format!("read_{}", ids::secret());
        std::fs::write(&token_file, format!("{token}\n\n{reader}\n")).unwrap(); // 0600 stays
        let options = http::Options { listen: "127.0.0.1:0".parse().unwrap(), token_file };
        let serves = Serves { table: table.clone(), store: store.clone(), gauges: gauges() };
        let door = options.bind(serves).await.unwrap();
        let (port, tokens) = (door.address().port(), door.tokens().clone());
        supervisor.spawn(TaskKind::Vital, "http", door.run(shutdown));
        let (in_process, endpoint) = in_process();
        let serve =
            serve_endpoint(endpoint, table.clone(), Caller::orchestrator(), supervisor.clone());
        supervisor.spawn(TaskKind::Background, "endpoint", serve);
        Self {
            folder,
            desk,
            tape,
            table,
            store,
            socket,
            port,
            tokens,
            token,
            reader,
            in_process,
            supervisor,
        }
    }

    pub(crate) async fn client(&self) -> Client {
        connect(&self.socket).await.unwrap().0
    }

    /// A raw connection to the socket, its first message read.
    pub(crate) async fn wire(&self) -> Wire {
        let (read, write) = UnixStream::connect(&self.socket).await.unwrap().into_split();
        let mut wire = Wire { lines: BufReader::new(read).lines(), write };
        let hello = wire.next().await.unwrap();
        assert_eq!(hello["method"], "system.hello");
        assert_eq!(hello["params"]["name"], "orchflow");
        wire
    }

    /// One HTTP request as it is written, and what came back until the door hung up.
    pub(crate) async fn http(&self, head: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text = format!("{head} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        text += &format!("\r\n{body}");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await; // a refused body may reset the connection
        Answer(String::from_utf8(bytes).unwrap())
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// A POST as a well-behaved client makes it.
    pub(crate) async fn post(&self, body: &str) -> Answer {
        let (host, bearer) = (self.host(), self.bearer());
        let json = ("Content-Type", "application/json");
        self.http("POST /rpc", &[("Host", &host), ("Authorization", &bearer), json], body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let (host, bearer) = (self.host(), self.bearer());
        self.http(&format!("GET {path}"), &[("Host", &host), ("Authorization", &bearer)], "").await
    }

    /// Appends events about `about` and waits for their commit.
    pub(crate) async fn append(&self, numbers: std::ops::Range<usize>, about: &str) {
        let event = |n| NewEvent {
            kind: EventType::TaskUpdated,
            about: about.to_owned(),
            within: Vec::new(),
            data: serde_json::json!({ "n": n }),
        };
        let events: Vec<_> = numbers.map(event).collect();
        let at = Clock::system().now();
        self.store.write(move |tx| orchflow_store::events::append(tx, at, events)).await.unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.supervisor.shutdown().cancel();
    }
}

fn gauges() -> Gauges {
    Gauges::new(|| {
        let label = Some(("state", "running".to_owned()));
        let panes = Gauge { name: "orchflow_panes", help: "Panes by state.", label, value: 3 };
        std::future::ready(Ok(vec![panes])).boxed()
    })
}

/// A raw connection: lines of JSON both ways.
pub(crate) struct Wire {
    lines: Lines<BufReader<OwnedReadHalf>>,
    pub(crate) write: OwnedWriteHalf,
}

impl Wire {
    pub(crate) async fn send(&mut self, line: &str) {
        self.write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// The next frame; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        let line = soon(self.lines.next_line()).await.ok().flatten()?;
        Some(serde_json::from_str(&line).unwrap())
    }
}

/// What an HTTP request was answered.
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next()?;
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// Fails the test when what should happen soon does not.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it happens soon")
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap_or_else(|_| panic!("{what}"));
}

pub(crate) fn pane() -> PaneId {
    ids::mint(&Clock::system())
}

/// A call of `pane.write`.
pub(crate) fn write_call(id: &str, pane: PaneId, text: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"pane.write","params":{{"pane_id":"{pane}","text":"{text}"}}}}"#
    )
}

/// A call of `pane.resize`, with the id 1: it waits for the gate.
pub(crate) fn waiting_call() -> String {
    let size = serde_json::to_string(&Size::default()).unwrap();
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"pane.resize","params":{{"pane_id":"{}","size":{size}}}}}"#,
        pane()
    )
}
