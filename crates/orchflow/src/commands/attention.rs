//! `orchflow attention`: what waits for a person.

use clap::Subcommand;
use orchflow_protocol::attention::{Answer, AnswerParams, List, ListParams};
use orchflow_types::AttentionId;
use orchflow_types::attention::Attention;

use crate::context::Context;
use crate::output::{Output, Style, visible};
use crate::stop::Ended;
use crate::talk::ago;

/// What `attention` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orchflow attention
  orchflow attention answer ID once")]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lists the questions, oldest first
    List {
        /// Answered ones, too
        #[arg(long)]
        all: bool,
    },
    /// Answers one; the first answer counts
    Answer {
        /// Which, as `orchflow attention` shows it
        id: AttentionId,
        /// One of the answers it takes
        answer: String,
    },
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let client = cx.client().await?;
    match args.verb.unwrap_or(Verb::List { all: false }) {
        Verb::List { all } => {
            let result = client.call::<List>(ListParams { all, run_id: None }).await?;
            cx.out.result(&result, |out, result| {
                if result.items.is_empty() {
                    out.talk("nothing waits for you");
                }
                for item in &result.items {
                    tell(out, item);
                }
            });
        }
        Verb::Answer { id, answer } => {
            let params = AnswerParams { attention_id: id, answer };
            let item = client.call::<Answer>(params).await?;
            cx.out.result(&item, |out, item| {
                out.talk(format_args!("answered: {}", item.answer.as_deref().unwrap_or_default()));
            });
        }
    }
    Ok(())
}

fn tell(out: Output, item: &Attention) {
    let id = out.paint(Style::Bold, &item.attention_id.to_string());
    out.line(format_args!("{id}  {}", ago(item.raised_at)));
    // The question is shown whole: what is cut could be what matters.
    for line in visible(&item.question).lines() {
        out.line(format_args!("  {line}"));
    }
    match &item.answer {
        Some(answer) => out.line(format_args!("  answered: {}", visible(answer))),
        None => out.line(format_args!(
            "  orchflow attention answer {} {}",
            item.attention_id,
            item.options.join("|")
        )),
    }
}
