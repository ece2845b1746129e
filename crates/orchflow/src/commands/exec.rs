//! `orchflow exec`: a command in a pane, as if it were run here: its environment, folder,
//! terminal, input, output and exit code are the caller's.

use std::collections::BTreeMap;

use orchflow_client::{Client, Error};
use orchflow_protocol::pane::{
    CloseStdin, Create, CreateParams, Kill, KillParams, Output as Which, PaneParams, Resize,
    ResizeParams, Write, WriteParams,
};
use orchflow_protocol::stream;
use orchflow_runtime::{Supervisor, TaskKind, env};
use orchflow_types::PaneId;
use orchflow_types::pane::Size;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

use super::pane::{ended, passed_on};
use crate::context::Context;
use crate::output::{CLOSED_PIPE, Output};
use crate::stop::{Ended, INTERRUPTED, Stop};

/// What `exec` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The command gets your environment without secrets (names with KEY, TOKEN, PASSWORD and the
like). It has a terminal when you are at one; else its output and errors stay apart. Its
exit code is passed through.

Examples:
  orchflow exec -- make test
  orchflow exec -- sh -c 'echo $PWD; exit 3'")]
pub struct Args {
    /// The command; no shell reads it
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let client = cx.client().await?;
    let tty = cx.out.has_terminal();
    let params = CreateParams {
        command: args.command,
        cwd: Some(cx.dir_text()?),
        env: environment(),
        size: tty.then(terminal_size),
        tty,
        ..CreateParams::default()
    };
    let pane_id = client.call::<Create>(params).await?.pane_id;
    let supervisor = Supervisor::new();
    let _raw = tty.then(RawMode::begin);
    supervisor.spawn(TaskKind::Request, "input", forward_input(client.clone(), pane_id, tty));
    if tty {
        supervisor.spawn(TaskKind::Request, "size", forward_size(client.clone(), pane_id));
    }
    let show = async {
        if tty {
            print(cx.out, &client, pane_id, Which::Output).await
        } else {
            // The first that fails ends both: a reader that went away ends the command.
            tokio::try_join!(
                print(cx.out, &client, pane_id, Which::Output),
                print(cx.out, &client, pane_id, Which::Errors)
            )
            .map(|_| ())
        }
    };
    let shown = tokio::select! {
        shown = show => shown,
        code = told_to_end() => Err(Stop::Code(code)),
    };
    if let Err(Stop::Code(code)) = shown {
        client.call::<Kill>(KillParams { pane_id, grace_ms: None }).await?;
        return Err(Stop::Code(code));
    }
    shown?;
    let info = ended(&client, pane_id).await?;
    passed_on(&info)
}

/// Waits for a signal that would end a command here, and answers the code it ends with. In
/// raw mode Ctrl-C is a byte like any other and goes to the command itself.
async fn told_to_end() -> u8 {
    let signals = || -> std::io::Result<_> {
        Ok((signal(SignalKind::terminate())?, signal(SignalKind::hangup())?))
    };
    let Ok((mut terminate, mut hangup)) = signals() else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => INTERRUPTED,
        _ = terminate.recv() => 143,
        _ = hangup.recv() => 129,
    }
}

/// The caller's environment without secrets and without marks of an outer terminal.
fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    env::for_children().into_iter().filter_map(text).collect()
}

fn terminal_size() -> Size {
    let (cols, rows) = crossterm::terminal::size().unwrap_or((80, 24));
    Size { cols: cols.max(1), rows: rows.max(1) }
}

async fn print(out: Output, client: &Client, pane_id: PaneId, output: Which) -> Ended {
    let mut stream = client.output(stream::OpenParams { pane_id, output, from: 0 }).await?;
    while let Some(chunk) = stream.next().await? {
        match output {
            Which::Output if !out.try_bytes(&chunk.bytes) => return Err(Stop::Code(CLOSED_PIPE)),
            Which::Output => {}
            Which::Errors => out.talk_bytes(&chunk.bytes),
        }
        if chunk.end {
            break;
        }
    }
    Ok(())
}

async fn forward_input(client: Client, pane_id: PaneId, tty: bool) -> Result<(), Error> {
    let mut stdin = tokio::io::stdin();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match stdin.read(&mut buffer).await {
            Ok(read) if read > 0 => {
                let bytes = stream::encode(&buffer[..read]);
                let params = WriteParams { pane_id, text: String::new(), bytes, enter: false };
                client.call::<Write>(params).await?;
            }
            _ if tty => return Ok(()),
            _ => {
                client.call::<CloseStdin>(PaneParams { pane_id }).await?;
                return Ok(());
            }
        }
    }
}

async fn forward_size(client: Client, pane_id: PaneId) -> Result<(), std::io::Error> {
    let mut changed = signal(SignalKind::window_change())?;
    while changed.recv().await.is_some() {
        let params = ResizeParams { pane_id, size: terminal_size() };
        if client.call::<Resize>(params).await.is_err() {
            break; // the command has ended
        }
    }
    Ok(())
}

/// The terminal passes every key on, until this is dropped.
struct RawMode;

impl RawMode {
    fn begin() -> Self {
        let _ = crossterm::terminal::enable_raw_mode(); // without it, only line by line
        Self
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        let _ = crossterm::terminal::disable_raw_mode();
    }
}
