//! Pane output: every byte once, from any offset, and nobody waits for a slow reader.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use orchflow_client::Client;
use orchflow_protocol::method::Empty;
use orchflow_protocol::pane::Output;
use orchflow_protocol::stream::OpenParams;
use orchflow_protocol::{Error, system};
use orchflow_server::streams::{Chunk, PaneOutputs, PaneReader};
use orchflow_types::PaneId;
use tokio::sync::watch;

use crate::daemon::{Daemon, pane, soon, until, waiting_call};

/// Output that grows: what every pane of the tests prints. It keeps nothing before `from`.
#[derive(Clone)]
pub(crate) struct Tape(Arc<watch::Sender<Printed>>);

#[derive(Default)]
struct Printed {
    bytes: Vec<u8>,
    from: usize,
    ended: bool,
}

impl Default for Tape {
    fn default() -> Self {
        Self(Arc::new(watch::channel(Printed::default()).0))
    }
}

impl Tape {
    fn print(&self, bytes: &[u8]) {
        self.0.send_modify(|printed| printed.bytes.extend_from_slice(bytes));
    }

    fn end(&self) {
        self.0.send_modify(|printed| printed.ended = true);
    }
}

impl PaneOutputs for Tape {
    fn open(&self, _: PaneId, _: Output) -> BoxFuture<'_, Result<Box<dyn PaneReader>, Error>> {
        let reader: Box<dyn PaneReader> = Box::new(self.clone());
        std::future::ready(Ok(reader)).boxed()
    }
}

impl PaneReader for Tape {
    fn read(&self, from: u64, max: usize) -> BoxFuture<'_, Result<Chunk, Error>> {
        let printed = self.0.borrow();
        let asked = usize::try_from(from).unwrap();
        let start = asked.max(printed.from).min(printed.bytes.len());
        let end = (start + max).min(printed.bytes.len());
        let chunk = Chunk {
            offset: start as u64,
            bytes: printed.bytes[start..end].to_vec(),
            skipped: start.saturating_sub(asked) as u64,
        };
        std::future::ready(Ok(chunk)).boxed()
    }

    fn wait_beyond(&self, offset: u64) -> BoxFuture<'_, bool> {
        let mut printed = self.0.subscribe();
        async move {
            let beyond = |printed: &Printed| printed.bytes.len() as u64 > offset;
            let seen = printed.wait_for(|printed| beyond(printed) || printed.ended).await;
            seen.is_ok_and(|printed| beyond(&printed))
        }
        .boxed()
    }
}

fn from(from: u64) -> OpenParams {
    OpenParams { pane_id: pane(), output: Output::Output, from }
}

async fn collect(client: Client, params: OpenParams) -> (Vec<u8>, u64) {
    let (mut bytes, mut skipped, mut next) = (Vec::new(), 0, params.from);
    let mut output = client.output(params).await.unwrap();
    loop {
        let chunk = soon(output.next()).await.unwrap().unwrap();
        assert_eq!(chunk.offset, next + chunk.skipped);
        next = chunk.offset + chunk.bytes.len() as u64;
        bytes.extend(chunk.bytes);
        skipped += chunk.skipped;
        if chunk.end {
            return (bytes, skipped);
        }
    }
}

#[tokio::test]
async fn output_comes_whole_over_both_doors_while_it_is_printed() {
    let daemon = Daemon::start().await;
    let all: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let print = async {
        for piece in all.chunks(7_777) {
            daemon.tape.print(piece);
            tokio::task::yield_now().await;
        }
        daemon.tape.end();
    };
    let socket = daemon.client().await;
    let in_process = collect(daemon.in_process.clone(), from(0));
    let ((), a, b) = tokio::join!(print, in_process, collect(socket, from(1_000)));
    assert!(a == (all.clone(), 0) && b == (all[1_000..].to_vec(), 0));
}

#[tokio::test]
async fn nothing_of_a_stream_comes_before_the_answer_that_names_it() {
    let daemon = Daemon::start().await;
    daemon.tape.print(b"ready at once");
    let mut wire = daemon.wire().await;
    let open = serde_json::to_string(&from(0)).unwrap();
    let open = format!(r#"{{"jsonrpc":"2.0","id":0,"method":"stream.open","params":{open}}}"#);
    // The other call of the batch holds the answer back, and a call after it is answered:
    // a stream that did not wait would have been heard of by then.
    wire.send(&format!("[{open},{}]", waiting_call())).await;
    wire.send(r#"{"jsonrpc":"2.0","id":2,"method":"system.health"}"#).await;
    assert_eq!(wire.next().await.unwrap()["id"], 2);
    until("the call waits", || daemon.desk.waiting() == 1).await;
    daemon.desk.gate.add_permits(1);
    let answers = wire.next().await.unwrap();
    assert_eq!(answers[0]["result"]["stream_id"], 1, "{answers}");
    assert_eq!(wire.next().await.unwrap()["method"], "pane.output");
}

#[tokio::test]
async fn what_was_let_go_is_marked_to_the_byte() {
    let daemon = Daemon::start().await;
    daemon.tape.print(b"0123456789");
    daemon.tape.0.send_modify(|printed| printed.from = 4);
    daemon.tape.end();
    let collected = collect(daemon.client().await, from(1)).await;
    assert_eq!(collected, (b"456789".to_vec(), 3));
}

#[tokio::test]
async fn a_follower_that_does_not_read_holds_up_no_call_and_no_other_follower() {
    let daemon = Daemon::start().await;
    let unread = daemon.in_process.output(from(0)).await.unwrap();
    let unread_too = daemon.client().await.output(from(0)).await.unwrap();
    let all = vec![7_u8; 20_000_000];
    daemon.tape.print(&all);
    daemon.tape.end();
    for client in [daemon.in_process.clone(), daemon.client().await] {
        assert!(collect(client.clone(), from(0)).await == (all.clone(), 0));
        soon(client.call::<system::Health>(Empty {})).await.unwrap();
    }
    drop((unread, unread_too));
}
