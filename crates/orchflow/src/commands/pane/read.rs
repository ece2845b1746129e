//! `orchflow pane read`: what a pane wrote, as bytes, as text, or as it comes.

use orchflow_client::Client;
use orchflow_protocol::pane::{Output as Which, Read, ReadParams, What};
use orchflow_protocol::stream;
use orchflow_types::{ErrorKind, PaneId};

use crate::context::Context;
use crate::output::Output;
use crate::stop::{Ended, Stop};

/// The screen or the last lines, as text.
pub(super) async fn text(
    cx: &Context,
    client: &Client,
    id: PaneId,
    what: What,
    limit: Option<u32>,
) -> Ended {
    let params = ReadParams { pane_id: id, what, output: Which::Output, from: 0, limit };
    let result = client.call::<Read>(params).await?;
    cx.out.result(&result, |out, result| {
        let text = result.text.trim_end(); // empty rows below the last line say nothing
        if !text.is_empty() {
            out.line(text);
        }
    });
    Ok(())
}

/// One answer of the daemon, as JSON.
pub(super) async fn once(
    cx: &Context,
    client: &Client,
    id: PaneId,
    output: Which,
    from: u64,
) -> Ended {
    let params = ReadParams { pane_id: id, what: What::Raw, output, from, limit: None };
    cx.out.value(&client.call::<Read>(params).await?, true);
    Ok(())
}

/// All bytes from an offset to where the pane stands.
pub(super) async fn all(
    cx: &Context,
    client: &Client,
    id: PaneId,
    output: Which,
    mut from: u64,
) -> Ended {
    loop {
        let params = ReadParams { pane_id: id, what: What::Raw, output, from, limit: None };
        let result = client.call::<Read>(params).await?;
        let bytes = stream::decode(&result.bytes).map_err(|error| {
            Stop::new(ErrorKind::VersionMismatch, format!("no base64: {error}"))
        })?;
        say_skipped(cx.out, result.skipped);
        cx.out.bytes(&bytes);
        if result.end || bytes.is_empty() {
            return Ok(());
        }
        from = result.offset + bytes.len() as u64;
    }
}

/// The bytes from an offset on, until the pane ends.
pub(super) async fn on(
    cx: &Context,
    client: &Client,
    id: PaneId,
    output: Which,
    from: u64,
) -> Ended {
    let mut stream = client.output(stream::OpenParams { pane_id: id, output, from }).await?;
    while let Some(chunk) = stream.next().await? {
        say_skipped(cx.out, chunk.skipped);
        cx.out.bytes(&chunk.bytes);
        if chunk.end {
            break;
        }
    }
    Ok(())
}

fn say_skipped(out: Output, skipped: u64) {
    if skipped > 0 {
        out.talk(format_args!("[{skipped} bytes were let go here]"));
    }
}
