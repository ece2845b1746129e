//! `orchflow agents`: who can do the work on this machine.

use orchflow_protocol::agent::{List, ListParams};
use orchflow_types::agent::FoundAgent;

use crate::context::Context;
use crate::output::{Output, Style, visible};
use crate::stop::Ended;

/// Does it.
pub(crate) async fn run(cx: &Context) -> Ended {
    let params = ListParams { dir: Some(cx.dir_text()?) };
    let result = cx.client().await?.call::<List>(params).await?;
    cx.out.result(&result, |out, result| {
        for agent in &result.agents {
            tell(out, agent);
        }
        if !result.agents.iter().any(|agent| agent.available) {
            out.talk("no agent can be used; tests, build, lint and format need none");
        }
    });
    Ok(())
}

fn tell(out: Output, agent: &FoundAgent) {
    let mark =
        if agent.available { out.paint(Style::Green, "✓") } else { out.paint(Style::Dim, "–") };
    let found = match (&agent.program, &agent.version) {
        (Some(program), Some(version)) => format!("{version} ({program})"),
        (Some(program), None) => program.clone(),
        (None, _) if agent.available => "built in".to_owned(),
        (None, _) if agent.available => "built in".to_owned(),
        (None, _) => "not found".to_owned(),
    };
    let name = out.paint(Style::Bold, &format!("{:<14}", visible(&agent.name)));
    out.line(format_args!("{mark} {name} {}", visible(&found)));
    if let Some(note) = &agent.note {
        out.line(format_args!("    {}", visible(note)));
    }
    if let (false, Some(install)) = (agent.available, &agent.install) {
        out.line(format_args!("    to add it: {}", visible(install)));
    }
}
