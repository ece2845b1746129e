//! `orchflow pane`: terminals and the processes behind them.

mod read;

use std::path::PathBuf;

use clap::Subcommand;
use orchflow_client::{Client, Error};
use orchflow_protocol::events::{Filter, SubscribeParams};
use orchflow_protocol::pane::{
    Create, CreateParams, Info, Kill, KillParams, List, ListParams, Output as Which, PaneParams,
    Resize, ResizeParams, What, Write, WriteParams,
};
use orchflow_types::pane::{PaneInfo, PaneState, Size};
use orchflow_types::{ErrorKind, EventType, PaneId};

use crate::context::{Context, existing, text};
use crate::output::{Output, Style, visible};
use crate::stop::{Ended, Stop};
use crate::talk::{ago, quoted};

/// What `pane` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orchflow pane                           lists them
  orchflow pane create --cols 120 --rows 40 -- htop
  orchflow pane write PANE 'make test' --enter
  orchflow pane read PANE --screen
  orchflow pane wait PANE")]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Starts a command in a new pane, and prints the pane's id
    Create {
        /// Where; the current folder when not said
        #[arg(long, value_name = "DIR")]
        cwd: Option<PathBuf>,
        /// Cells in a row
        #[arg(long, default_value_t = 80)]
        cols: u16,
        /// Rows
        #[arg(long, default_value_t = 24)]
        rows: u16,
        /// Pipes instead of a terminal; output and errors apart
        #[arg(long)]
        no_tty: bool,
        /// Its name
        #[arg(long, default_value = "", hide_default_value = true)]
        title: String,
        /// The command; your shell when not given
        #[arg(last = true, value_name = "CMD")]
        command: Vec<String>,
    },
    /// Lists panes, newest first
    List {
        /// Only those whose process runs
        #[arg(long)]
        running: bool,
    },
    /// Tells all that is known of a pane
    Info {
        /// Which
        id: PaneId,
    },
    /// Prints a pane's output
    Read {
        /// Which
        id: PaneId,
        /// The bytes as they were written (this is what is printed when nothing else is asked)
        #[arg(long, conflicts_with_all = ["screen", "history"])]
        raw: bool,
        /// The offset to read from
        #[arg(long, default_value_t = 0, value_name = "OFFSET", conflicts_with_all = ["screen", "history"])]
        from: u64,
        /// Standard error of a pane without a terminal
        #[arg(long, conflicts_with_all = ["screen", "history"])]
        errors: bool,
        /// Goes on as the pane writes
        #[arg(short, long, conflicts_with_all = ["screen", "history"])]
        follow: bool,
        /// The screen as text
        #[arg(long, conflicts_with = "history")]
        screen: bool,
        /// The last N lines as text
        #[arg(long, value_name = "N")]
        history: Option<u32>,
    },
    /// Writes to a pane's terminal or input
    Write {
        /// Which
        id: PaneId,
        /// What
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// Presses Enter afterwards
        #[arg(long)]
        enter: bool,
    },
    /// Gives a pane's terminal another size
    Resize {
        /// Which
        id: PaneId,
        /// Cells in a row
        cols: u16,
        /// Rows
        rows: u16,
    },
    /// Ends a pane's process and everything that came of it
    Kill {
        /// Which
        id: PaneId,
        /// Milliseconds between asking it to end and making it
        #[arg(long, value_name = "MS")]
        grace_ms: Option<u64>,
    },
    /// Waits until a pane's process has ended; exits with its code
    Wait {
        /// Which
        id: PaneId,
    },
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let client = cx.client().await?;
    match args.verb.unwrap_or(Verb::List { running: false }) {
        Verb::Create { cwd, cols, rows, no_tty, title, command } => {
            let cwd = text(&cwd.map_or_else(|| Ok(cx.dir.clone()), |dir| existing(&dir))?)?;
            let size = (!no_tty).then_some(Size { cols, rows });
            let params = CreateParams {
                command,
                cwd: Some(cwd),
                size,
                tty: !no_tty,
                title,
                ..CreateParams::default()
            };
            let result = client.call::<Create>(params).await?;
            cx.out.result(&result, |out, result| out.line(result.pane_id));
        }
        Verb::List { running } => {
            let state = running.then_some(PaneState::Running);
            let params = ListParams { state, ..ListParams::default() };
            let result = client.call::<List>(params).await?;
            cx.out.result(&result, |out, result| list(out, &result.panes));
        }
        Verb::Info { id } => {
            let info = client.call::<Info>(PaneParams { pane_id: id }).await?;
            cx.out.result(&info, tell);
        }
        Verb::Read { id, from, errors, follow, screen, history, raw: _ } => {
            let output = if errors { Which::Errors } else { Which::Output };
            match (screen, history) {
                (true, _) => read::text(cx, &client, id, What::Screen, None).await?,
                (_, Some(lines)) => read::text(cx, &client, id, What::History, Some(lines)).await?,
                _ if cx.out.json() => read::once(cx, &client, id, output, from).await?,
                _ if follow => read::on(cx, &client, id, output, from).await?,
                _ => read::all(cx, &client, id, output, from).await?,
            }
        }
        Verb::Write { id, text, enter } => {
            let params = WriteParams { pane_id: id, text, bytes: String::new(), enter };
            let done = client.call::<Write>(params).await?;
            cx.out.result(&done, |_, _| {});
        }
        Verb::Resize { id, cols, rows } => {
            let params = ResizeParams { pane_id: id, size: Size { cols, rows } };
            let done = client.call::<Resize>(params).await?;
            cx.out.result(&done, |_, _| {});
        }
        Verb::Kill { id, grace_ms } => {
            let info = client.call::<Kill>(KillParams { pane_id: id, grace_ms }).await?;
            cx.out.result(&info, tell);
        }
        Verb::Wait { id } => {
            let info = ended(&client, id).await?;
            cx.out.result(&info, tell);
            return passed_on(&info);
        }
    }
    Ok(())
}

/// Waits until the pane's process has ended and all of its output was read.
///
/// # Errors
/// When there is no such pane, or the daemon ended.
pub(crate) async fn ended(client: &Client, pane_id: PaneId) -> Result<PaneInfo, Error> {
    let filter = Filter { types: vec![EventType::PaneExit], about: Some(pane_id.to_string()) };
    let params = SubscribeParams { after: None, filter, batch_ms: 0 };
    // Subscribed before the first look, so that an end between the two is not missed.
    let mut events = client.events(params).await?;
    loop {
        let info = client.call::<Info>(PaneParams { pane_id }).await?;
        if info.state != PaneState::Running {
            return Ok(info);
        }
        if events.next().await?.is_none() {
            let text = format!("the daemon ended while {pane_id} ran");
            return Err(Error::new(ErrorKind::Unavailable, text)
                .hint("`orchflow logs` says why the daemon ended"));
        }
    }
}

/// Ends with the code the pane's process ended with.
pub(crate) fn passed_on(info: &PaneInfo) -> Ended {
    match (info.state, info.exit_code) {
        (_, Some(0)) => Ok(()),
        (_, Some(code)) => Err(Stop::Code(u8::try_from(code & 0xff).unwrap_or(1))),
        (_, None) => {
            let text =
                format!("how {} ended nobody saw: the daemon died while it ran", info.pane_id);
            Err(Stop::new(ErrorKind::Unavailable, text))
        }
    }
}

fn list(out: Output, panes: &[PaneInfo]) {
    let row = |pane: &PaneInfo| {
        let state = match (pane.state, pane.exit_code) {
            (PaneState::Running, _) => "running".to_owned(),
            (PaneState::Exited, Some(code)) => format!("exited {code}"),
            (PaneState::Exited, None) => "exited".to_owned(),
            (PaneState::Lost, _) => "lost".to_owned(),
        };
        vec![pane.pane_id.to_string(), state, ago(pane.created_at), quoted(&pane.command)]
    };
    if panes.is_empty() {
        out.talk("there are no panes; `orchflow pane create -- COMMAND` starts one");
    } else {
        out.table(
            &["PANE", "STATE", "STARTED", "COMMAND"],
            &panes.iter().map(row).collect::<Vec<_>>(),
        );
    }
}

fn tell(out: Output, info: &PaneInfo) {
    out.line(format_args!(
        "{}  {}",
        out.paint(Style::Bold, &info.pane_id.to_string()),
        visible(&info.title)
    ));
    out.line(format_args!("  command  {}", visible(&quoted(&info.command))));
    out.line(format_args!("  folder   {}", visible(&info.cwd)));
    let how = match (info.state, info.exit_code, info.pid) {
        (PaneState::Running, _, Some(pid)) => format!("running, process {pid}"),
        (PaneState::Running, ..) => "running".to_owned(),
        (PaneState::Lost, ..) => "lost: the daemon died while it ran".to_owned(),
        (PaneState::Exited, code, _) => format!("exited with {}", code.unwrap_or_default()),
    };
    out.line(format_args!("  state    {how}"));
    let size = info.size.map(|size| format!("{}x{}", size.cols, size.rows));
    out.line(format_args!("  terminal {}", size.as_deref().unwrap_or("none, pipes")));
    out.line(format_args!("  output   {} bytes", info.output_bytes));
}
