//! `orchflow` alone: how things stand, and the next commands that make sense.

use orchflow_protocol::method::Empty;
use orchflow_protocol::{attention, run, system};

use crate::context::Context;
use crate::output::Style;
use crate::stop::Ended;
use crate::talk::count;

/// Does it.
pub(crate) async fn run(cx: &Context) -> Ended {
    let client = cx.client().await?;
    let info = client.call::<system::Info>(Empty {}).await?;
    if cx.out.json() {
        cx.out.value(&info, true);
        return Ok(());
    }
    let waiting = client.call::<attention::List>(attention::ListParams::default()).await?.items;
    let latest = run::ListParams { limit: Some(1), ..run::ListParams::default() };
    let latest = client.call::<run::List>(latest).await?.runs.into_iter().next();
    let out = cx.out;
    out.line(format_args!(
        "orchflow {}: {}, {}, {} for you",
        info.version,
        count(info.runs, "run under way", "runs under way"),
        count(info.panes, "pane", "panes"),
        count(waiting.len() as u64, "question waits", "questions wait"),
    ));
    out.line("");
    let mut next = Vec::new();
    if !waiting.is_empty() {
        next.push(("orchflow attention", "what waits for you"));
    }
    if latest.is_some() {
        next.push(("orchflow runs show", "the newest run of this project"));
    }
    next.push(("orchflow run \"run the tests and lint\"", "needs no coding agent"));
    next.push(("orchflow agents", "which coding agents were found"));
    next.push(("orchflow doctor", "what this machine has, and how to mend the rest"));
    for (command, what) in next.into_iter().take(3) {
        let command = out.paint(Style::Bold, &format!("{command:<40}"));
        out.line(format_args!("  {command} {what}"));
    }
    Ok(())
}
