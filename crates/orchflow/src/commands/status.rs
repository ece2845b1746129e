//! `orchflow status`: says how the daemon is.

use orchflow_protocol::method::Empty;
use orchflow_protocol::system::{self, InfoResult};

use crate::context::Context;
use crate::output::Style;
use crate::stop::Ended;
use crate::talk::{ago, count};

/// Does it.
pub(crate) async fn run(cx: &Context) -> Ended {
    let info = cx.client().await?.call::<system::Info>(Empty {}).await?;
    tell(cx, &info);
    Ok(())
}

/// Tells what the daemon says of itself.
pub(crate) fn tell(cx: &Context, info: &InfoResult) {
    cx.out.result(info, |out, info| {
        let name = out.paint(Style::Green, "running");
        let since = ago(info.started_at);
        out.line(format_args!(
            "orchflow {} is {name}: process {}, started {since}",
            info.version, info.pid
        ));
        out.line(format_args!("  socket  {}", info.socket));
        match (&info.http, &info.token_file) {
            (Some(http), Some(token)) => {
                out.line(format_args!("  http    {http} (token in {token})"));
            }
            (Some(http), None) => out.line(format_args!("  http    {http}")),
            (None, _) => out.line("  http    off"),
        }
        let held = [
            count(info.runs, "run under way", "runs under way"),
            count(info.panes, "pane", "panes"),
            count(info.tasks, "task tree", "task trees"),
        ];
        out.line(format_args!("  holds   {}", held.join(", ")));
    });
}
