//! `orchflow policy check`: what the policies would decide on a command.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use orchflow_protocol::policy::{Check, CheckParams};
use orchflow_types::policy::{Decision, PolicyAnswer};

use crate::context::Context;
use crate::output::{Output, Style, visible};
use crate::stop::{Ended, Stop};

/// Refused by policy or permission.
const REFUSED: u8 = 4;

/// What `policy` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Decides on a command: allow, ask or deny, with the rule and the reason
    #[command(after_help = "\
Several words are taken as they are; one word is a line that a shell would read.
Exit code 0 for allow, 4 for ask and deny.

Examples:
  orchflow policy check -- git push --force origin main
  orchflow policy check -- 'git status && git push --force origin main'
  orchflow policy check --policy my.toml --agent claude -- rm -rf build")]
    Check {
        /// Decides by this file alone
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// On behalf of this agent
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
        /// The command
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let Verb::Check { policy, agent, command } = args.verb;
    let policy = match policy {
        Some(file) => {
            let text = std::fs::read_to_string(&file);
            Some(text.map_err(|error| Stop::file("read", &file, &error))?)
        }
        None => None,
    };
    let (argv, line) = match <[String; 1]>::try_from(command) {
        Ok([line]) => (Vec::new(), Some(line)),
        Err(words) => (words, None),
    };
    let dir = Some(cx.dir_text()?);
    let params = CheckParams { argv, line, agent, dir, policy, ..CheckParams::default() };
    let answer = cx.client().await?.call::<Check>(params).await?;
    cx.out.result(&answer, |out, answer| tell(out, answer, &cx.places.policies()));
    if answer.decision == Decision::Allow { Ok(()) } else { Err(Stop::Code(REFUSED)) }
}

fn tell(out: Output, answer: &PolicyAnswer, rules: &Path) {
    let word = match answer.decision {
        Decision::Allow => out.paint(Style::Green, "allow"),
        Decision::Ask => out.paint(Style::Yellow, "ask"),
        Decision::Deny => out.paint(Style::Red, "deny"),
    };
    let rule = answer.rule.as_deref().map(|rule| format!(" ({rule})")).unwrap_or_default();
    out.line(format_args!("{word}: {}{}", visible(&answer.reason), visible(&rule)));
    for words in &answer.parsed {
        out.line(format_args!("  {}", visible(&crate::talk::quoted(words))));
    }
    if answer.rule.is_none() {
        out.talk(format_args!("a rule in {} decides it", rules.join("my.toml").display()));
    }
}
