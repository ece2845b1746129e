//! The last line each pane wrote, for the live tree.

use std::collections::BTreeSet;

use orchflow_client::{Client, Error};
use orchflow_protocol::pane::{Info, Output as Which, PaneParams};
use orchflow_protocol::stream::OpenParams;
use orchflow_runtime::{Supervisor, TaskKind};
use orchflow_types::PaneId;
use serde_json::Value;
use tokio::sync::mpsc;

/// How far back a pane is read that has written already.
const BACK: u64 = 4096;

/// The longest unfinished line that is kept.
const LONGEST: usize = 16 * 1024;

/// Follows panes; hands out each pane's last line as it changes.
#[derive(Debug)]
pub(crate) struct Tails {
    supervisor: Supervisor,
    followed: BTreeSet<PaneId>,
    sender: mpsc::Sender<(PaneId, String)>,
    receiver: mpsc::Receiver<(PaneId, String)>,
}

impl Tails {
    /// Follows nothing yet.
    #[must_use]
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(64); // a full queue makes only the readers wait
        Self { supervisor: Supervisor::new(), followed: BTreeSet::new(), sender, receiver }
    }

    /// Follows a pane, unless it is followed already.
    pub(crate) fn follow(&mut self, client: &Client, pane_id: PaneId) {
        if self.followed.insert(pane_id) {
            let work = follow(client.clone(), pane_id, self.sender.clone());
            self.supervisor.spawn(TaskKind::Background, "tail", work);
        }
    }

    /// Forgets what is followed, when the daemon behind it has gone.
    pub(crate) fn forget(&mut self) {
        self.followed.clear();
    }

    /// The next line. Never ends.
    pub(crate) async fn next(&mut self) -> (PaneId, String) {
        self.receiver.recv().await.expect("this holds a sender itself")
    }
}

async fn follow(
    client: Client,
    pane_id: PaneId,
    to: mpsc::Sender<(PaneId, String)>,
) -> Result<(), Error> {
    let written = client.call::<Info>(PaneParams { pane_id }).await?.output_bytes;
    let from = written.saturating_sub(BACK);
    let mut stream = client.output(OpenParams { pane_id, output: Which::Output, from }).await?;
    let mut tail = Tail::default();
    while let Some(chunk) = stream.next().await? {
        if let Some(line) = tail.feed(&chunk.bytes)
            && to.send((pane_id, line)).await.is_err()
        {
            break;
        }
        if chunk.end {
            break;
        }
    }
    Ok(())
}

/// Bytes in, the last line that says something out.
#[derive(Debug, Default)]
struct Tail {
    unfinished: Vec<u8>,
}

impl Tail {
    fn feed(&mut self, bytes: &[u8]) -> Option<String> {
        self.unfinished.extend_from_slice(bytes);
        let text = String::from_utf8_lossy(&self.unfinished).into_owned();
        let last = text.split(['\n', '\r']).rev().find_map(readable);
        if let Some(at) = self.unfinished.iter().rposition(|byte| *byte == b'\n') {
            self.unfinished.drain(..=at);
        }
        if self.unfinished.len() > LONGEST {
            self.unfinished.clear();
        }
        last
    }
}

/// A line as a person reads it; none when it says nothing. Agents that speak in JSON lines
/// are quoted by the text in them, or the tool they use.
fn readable(line: &str) -> Option<String> {
    let line = without_escapes(line);
    let line = line.trim();
    if line.starts_with('{') {
        return serde_json::from_str::<Value>(line).ok().as_ref().and_then(said);
    }
    (!line.is_empty()).then(|| line.to_owned())
}

fn said(value: &Value) -> Option<String> {
    let parts = value.pointer("/message/content")?.as_array()?;
    parts.iter().rev().find_map(|part| {
        let text = part.get("text").and_then(Value::as_str).and_then(|text| text.lines().last());
        let tool = || part.get("name").and_then(Value::as_str);
        text.or_else(tool).map(str::to_owned)
    })
}

/// The text without escape sequences (ECMA-48: CSI, OSC and the like) and control characters.
fn without_escapes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut symbols = text.chars().peekable();
    while let Some(symbol) = symbols.next() {
        if symbol != '\x1b' {
            if !symbol.is_control() {
                kept.push(symbol);
            } else if symbol == '\t' {
                kept.push(' ');
            }
            continue;
        }
        match symbols.next() {
            Some('[') => {
                symbols.by_ref().find(|symbol| ('\x40'..='\x7e').contains(symbol));
            }
            Some(']' | 'P' | '_' | '^' | 'X') => {
                while let Some(symbol) = symbols.next() {
                    if symbol == '\x07' || (symbol == '\x1b' && symbols.next_if_eq(&'\\').is_some())
                    {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_says_something_counts_and_escapes_do_not() {
        let mut tail = Tail::default();
        assert_eq!(tail.feed(b"one\r\n\x1b[31mtw").as_deref(), Some("tw"));
        assert_eq!(tail.feed(b"o\x1b[0m\r\n\r\n").as_deref(), Some("two"));
        assert_eq!(tail.feed(b"\x1b]0;title\x07\n"), None);
        assert_eq!(tail.feed(b"10%\r20%\r30%").as_deref(), Some("30%"));
    }

    #[test]
    fn an_agent_that_speaks_json_is_quoted_by_its_words() {
        let line = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"Reading the file\nNow I edit"}]}}"#;
        assert_eq!(readable(line).as_deref(), Some("Now I edit"));
        let tool = r#"{"message":{"content":[{"type":"tool_use","name":"Bash","input":{}}]}}"#;
        assert_eq!(readable(tool).as_deref(), Some("Bash"));
        assert_eq!(readable(r#"{"type":"system"}"#), None);
    }

    #[test]
    fn a_line_without_end_is_let_go() {
        let mut tail = Tail::default();
        tail.feed(&vec![b'x'; LONGEST + 1]);
        assert!(tail.unfinished.is_empty());
    }
}
