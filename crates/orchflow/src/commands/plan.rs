//! `orchflow plan`: the plan of a goal, and nothing started.

use orchflow_protocol::run::{MakePlan, PlanParams};

use crate::context::Context;
use crate::output::{Style, visible};
use crate::report;
use crate::stop::{Ended, Stop};

/// What `plan` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orchflow plan \"add a --json flag to the list command\"
  orchflow plan run the tests and lint")]
pub struct Args {
    /// What should be done, in plain words
    #[arg(required = true, value_name = "GOAL")]
    goal: Vec<String>,
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let goal = super::run::goal(&args.goal).ok_or_else(|| Stop::usage("the goal is empty"))?;
    let params = PlanParams { goal, dir: cx.dir_text()? };
    let result = cx.client().await?.call::<MakePlan>(params).await?;
    cx.out.result(&result, |out, result| {
        report::markdown(out, &result.markdown);
        for obstacle in &result.obstacles {
            let word = Style::Yellow.paint("in the way:", out.talk_color());
            out.talk(format_args!("{word} {}", visible(obstacle)));
        }
    });
    Ok(())
}
