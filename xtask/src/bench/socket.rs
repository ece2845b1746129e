//! A client of the daemon's socket, no more than JSON lines: what is measured is the daemon
//! and its protocol, not our own client.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};

/// One connection.
pub(super) struct Socket {
    reader: BufReader<UnixStream>,
    next_id: u64,
}

impl Socket {
    /// Connects and reads the daemon's greeting.
    pub(super) fn connect(path: &Path) -> anyhow::Result<Self> {
        let stream = UnixStream::connect(path)
            .with_context(|| format!("no daemon answers at {}", path.display()))?;
        let mut socket = Self { reader: BufReader::new(stream), next_id: 1 };
        socket.line()?;
        Ok(socket)
    }

    /// Calls a method and answers its result; notifications that come before are passed over.
    pub(super) fn call(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        let id = self.next_id;
        self.next_id += 1;
        let frame = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.reader.get_mut().write_all(format!("{frame}\n").as_bytes())?;
        loop {
            let mut answer: Value = serde_json::from_str(&self.line()?)?;
            if answer["id"] == id {
                if let Some(error) = answer.get("error") {
                    bail!("`{method}` failed: {error}");
                }
                return Ok(answer["result"].take());
            }
        }
    }

    /// The next line, whatever it is.
    pub(super) fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            bail!("the daemon closed the connection");
        }
        Ok(line)
    }
}
