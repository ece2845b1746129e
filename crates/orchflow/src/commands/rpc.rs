//! `orchflow rpc`: any method, by name, with JSON.

use std::io::Read;

use serde_json::Value;

use crate::context::Context;
use crate::output::{cut, visible};
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
    let params: Value =
        serde_json::from_str(&text).map_err(|error| unreadable(&args.method, &text, &error))?;
    let result = cx.client().await?.call_json(&args.method, params).await?;
    cx.out.value(&result, true);
    Ok(())
}

/// Where the params stop being JSON, and how they are written.
fn unreadable(method: &str, text: &str, error: &serde_json::Error) -> Stop {
    let (line, column) = (error.line(), error.column());
    let what = if error.is_eof() {
        let quote = "a quote, a bracket or a brace is not closed";
        format!("the params end too soon, at line {line}, column {column}: {quote}")
    } else {
        let from = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let from = from.get(from.floor_char_boundary(column.saturating_sub(1))..);
        let from = visible(&cut(from.unwrap_or_default(), 40));
        format!("the params are no JSON from line {line}, column {column} on: `{from}`")
    };
    Stop::usage(what).hint(format!(
        "write one JSON object in single quotes, `orchflow rpc {method} '{{\"name\": \"value\"}}'`; \
         `orchflow rpc rpc.discover` shows what {method} takes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_that_are_no_json_are_told_with_their_place_and_how_to_write_them() {
        let told = |text: &str| {
            let error = serde_json::from_str::<Value>(text).expect_err(text);
            match unreadable("run.get", text, &error) {
                Stop::Error(error) => (error.message, error.data.hint.unwrap_or_default()),
                Stop::Code(code) => panic!("{code}"),
            }
        };
        let (message, hint) = told("{");
        assert_eq!(
            message,
            "the params end too soon, at line 1, column 1: a quote, a bracket or a brace is not closed"
        );
        assert!(hint.contains(r#"`orchflow rpc run.get '{"name": "value"}'`"#), "{hint}");
        let (message, _) = told("{\n  \"limit\": ä5}");
        assert_eq!(message, "the params are no JSON from line 2, column 12 on: `ä5}`");
    }
}
