//! `orchflow route`: what kind of work plain words are.

use orchflow_protocol::agent::{Route, RouteContext, RouteParams};

use crate::context::Context;
use crate::output::{Style, visible};
use crate::stop::Ended;

/// What `route` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  orchflow route run tests for authentication")]
pub struct Args {
    /// What should be done, in plain words
    #[arg(required = true)]
    words: Vec<String>,
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let context = RouteContext { dir: Some(cx.dir_text()?) };
    let params = RouteParams { input: args.words.join(" "), context };
    let result = cx.client().await?.call::<Route>(params).await?;
    cx.out.result(&result, |out, result| {
        let percent = result.confidence * 100.0;
        let kind = out.paint(Style::Bold, result.agent_type.as_str());
        let command = result.suggested_command.as_deref().unwrap_or("no command; an agent's work");
        out.line(format_args!("{kind}  {}  ({percent:.0} % sure)", visible(command)));
        out.talk(visible(&result.reason));
    });
    Ok(())
}
