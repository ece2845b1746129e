//! `orchflow config`: settings and where each came from.

use clap::Subcommand;
use orchflow_protocol::config::{
    Get, GetParams, Set, SetParams, Setting, Show, ShowParams, ShowResult,
};
use serde_json::Value;

use crate::context::Context;
use crate::output::{Output, Style, visible};
use crate::settings::{value_for, without_effect};
use crate::stop::Ended;

/// What `config` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Lowest first: defaults, your file, the file of a project you trust, variables
(run.mode is ORCHFLOW_RUN_MODE, read by the daemon), the flags of a command.

Examples:
  orchflow config                         as `orchflow config show`
  orchflow config show --origin
  orchflow config set run.max_concurrency 2
  orchflow config set roles.auditor.chain claude,mine
  $EDITOR \"$(orchflow config path)\"")]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Shows every setting that has a value
    Show {
        /// With where each value came from
        #[arg(long)]
        origin: bool,
    },
    /// Prints the value of one setting
    Get {
        /// Its dotted name
        key: String,
    },
    /// Writes one setting into your file; comments stay
    Set {
        /// Its dotted name
        key: String,
        /// Its value; a list with commas
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Prints the path of your file
    Path,
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    match args.verb.unwrap_or(Verb::Show { origin: false }) {
        Verb::Path => {
            let path = cx.places.config().display().to_string();
            cx.out.result(&serde_json::json!({ "file": path }), |out, _| out.line(&path));
        }
        Verb::Show { origin } => {
            let params = ShowParams { dir: Some(cx.dir_text()?) };
            let result = cx.client().await?.call::<Show>(params).await?;
            cx.out.result(&result, |out, result| tell(out, result, origin));
        }
        Verb::Get { key } => {
            let params = GetParams { key, dir: Some(cx.dir_text()?) };
            let setting = cx.client().await?.call::<Get>(params).await?;
            cx.out.result(&setting, |out, setting| out.line(visible(&plain(&setting.value))));
        }
        Verb::Set { key, value } => {
            let value = value_for(&key, &value);
            let client = cx.client().await?;
            let setting = client.call::<Set>(SetParams { key, value }).await?;
            cx.out.result(&setting, |out, setting| {
                out.talk(format_args!("{} = {}", setting.key, visible(&setting.value.to_string())));
                warn(out, setting);
            });
            let lacks = client.call::<Show>(ShowParams { dir: None }).await;
            if let Err(error) = lacks.map_err(|error| error.data.hint.unwrap_or(error.message)) {
                caution(cx.out, &format!("this is not all yet: {error}"));
            }
        }
    }
    Ok(())
}

fn tell(out: Output, result: &ShowResult, origin: bool) {
    for setting in &result.settings {
        let value = visible(&setting.value.to_string());
        let from = if origin { format!("{value:<28}") } else { value };
        let source =
            if origin { out.paint(Style::Dim, &visible(&setting.origin)) } else { String::new() };
        out.line(format!("{:<32} {from} {source}", visible(&setting.key)).trim_end());
    }
    for setting in result.settings.iter().filter(|setting| setting.origin != "default") {
        warn(out, setting);
    }
    if let Some(file) = &result.untrusted {
        out.talk(format_args!("left out, since it is not trusted: {}", visible(file)));
        out.talk("`orchflow trust` shows what is in it");
    }
}

fn warn(out: Output, setting: &Setting) {
    if let Some(note) = without_effect(&setting.key) {
        caution(out, &note);
    }
}

fn caution(out: Output, note: &str) {
    let word = Style::Yellow.paint("warning:", out.talk_color());
    out.talk(format_args!("{word} {}", visible(note)));
}

/// A value as a script wants it: text bare, all else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
