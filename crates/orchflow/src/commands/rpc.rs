//! `orchflow rpc`: any method, by name, with JSON.

use std::io::Read;

use serde_json::Value;

use crate::context::Context;
use crate::stop::{Ended, Stop};

/// What `rpc` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orchflow rpc system.info
  orchflow rpc run.list '{\"limit\": 5}'
  orchflow rpc task.import - < tree.json
  orchflow rpc rpc.discover        every method there is, as OpenRPC")]
pub struct Args {
    /// The method's name, such as `run.list`
    method: String,
    /// Its params as a JSON object; `-` reads them from standard input
    #[arg(value_name = "JSON")]
    params: Option<String>,
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let text = match args.params.as_deref() {
        None => "{}".to_owned(),
        Some("-") => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Stop::usage(format!("cannot read standard input: {error}")))?;
            text
        }
        Some(text) => text.to_owned(),
    };
    let params: Value = serde_json::from_str(&text)
        .map_err(|error| Stop::usage(format!("the params are no JSON: {error}")))?;
    let result = cx.client().await?.call_json(&args.method, params).await?;
    cx.out.value(&result, true);
    Ok(())
}
