//! What only a person may answer, asked where the run is watched: the plan, permissions.

use std::collections::BTreeSet;

use orchflow_client::{Client, Error};
use orchflow_protocol::attention::{Answer, AnswerParams, List, ListParams};
use orchflow_protocol::run::{Approve, ApproveParams, Reject, RejectParams};
use orchflow_types::attention::{Attention, AttentionKind};
use orchflow_types::plan::Plan;
use orchflow_types::run::Run;
use orchflow_types::{AttentionId, ErrorKind, RunId};
use orchflow_workflow::plan_markdown;

use crate::context::Context;
use crate::output::{Output, Style, visible};
use crate::plan_file;
use crate::stop::{Ended, Stop};
use crate::talk::ask;

/// Shows the plan and asks for its approval.
///
/// # Errors
/// `approval_needed` when nobody can be asked; 130 on Ctrl-C.
pub(crate) async fn approval(cx: &Context, client: &Client, run: &Run) -> Ended {
    let Some(plan) = &run.plan else { return Ok(()) };
    let written = plan_file::write(run, plan).await;
    if !cx.out.can_ask() {
        let text =
            format!("the plan of {} waits for approval, and nobody can be asked here", run.run_id);
        return Err(Stop::new(ErrorKind::ApprovalNeeded, text).hint(format!(
            "`orchflow runs approve {0}` approves it (edit `.orchflow/plan.md` first, if you like), \
             `orchflow run --resume {0}` follows it",
            run.run_id
        )));
    }
    show(cx.out, plan);
    let mut edited = None;
    loop {
        let Some(answer) = ask(cx.out, "[a]pprove, [e]dit, [r]eject: ").await? else {
            let text = format!("the plan of {} was neither approved nor rejected", run.run_id);
            return Err(Stop::new(ErrorKind::ApprovalNeeded, text)
                .hint(format!("`orchflow runs approve {}` approves it", run.run_id)));
        };
        match answer.trim().to_lowercase().as_str() {
            "a" | "approve" => {
                let markdown = edited.clone();
                let params = ApproveParams { run_id: run.run_id, plan: None, markdown };
                if settled(cx.out, client.call::<Approve>(params).await)? {
                    return Ok(());
                }
            }
            "r" | "reject" => {
                let reason = "rejected at the terminal".to_owned();
                let params = RejectParams { run_id: run.run_id, reason };
                if settled(cx.out, client.call::<Reject>(params).await)? {
                    return Ok(());
                }
            }
            "e" | "edit" => match &written {
                Ok(path) => {
                    plan_file::edit(path).await?;
                    let text = std::fs::read_to_string(path)
                        .map_err(|error| Stop::file("read", path, &error))?;
                    edited = read(cx.out, &text).or(edited);
                }
                Err(_) => cx.out.talk("the plan could not be written to `.orchflow/plan.md`"),
            },
            _ => cx.out.talk("answer a, e or r"),
        }
    }
}

/// Whether the answer counts; a plan that cannot be read may be edited again.
fn settled(out: Output, answer: Result<Run, Error>) -> Result<bool, Error> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Plan => {
            out.error(&error);
            Ok(false)
        }
        Err(error) if error.kind() == ErrorKind::Conflict => {
            out.talk(visible(&error.message)); // somebody else was first
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

/// The edited text, when it is a plan; the error names its line.
fn read(out: Output, text: &str) -> Option<String> {
    match plan_markdown::parse(text) {
        Ok(plan) => {
            show(out, &plan);
            Some(text.to_owned())
        }
        Err(error) => {
            out.error(&Error::explain(&error));
            None
        }
    }
}

fn show(out: Output, plan: &Plan) {
    out.talk("");
    for line in visible(&plan_markdown::print(plan)).lines() {
        let heading = line.starts_with('#');
        out.talk(if heading { Style::Bold.paint(line, out.talk_color()) } else { line.to_owned() });
    }
    out.talk("");
}

/// Asks (or, where nobody can be asked, tells once) what waits for a person in a run.
///
/// # Errors
/// 130 on Ctrl-C.
pub(crate) async fn open(
    cx: &Context,
    client: &Client,
    run_id: RunId,
    told: &mut BTreeSet<AttentionId>,
    mut before: impl FnMut(),
) -> Ended {
    let params = ListParams { all: false, run_id: Some(run_id) };
    let items = client.call::<List>(params).await?.items;
    for item in items.iter().filter(|item| item.kind != AttentionKind::Plan) {
        if !told.insert(item.attention_id) {
            continue;
        }
        before();
        tell(cx.out, item);
        if cx.out.can_ask() {
            answer(cx, client, item).await?;
        } else if !cx.out.json() {
            cx.out.talk(format_args!(
                "  `orchflow attention answer {} {}` answers it",
                item.attention_id,
                item.options.join("|")
            ));
        }
    }
    Ok(())
}

/// The whole question: what is cut could be what matters.
fn tell(out: Output, item: &Attention) {
    if out.json() {
        return; // the event says it
    }
    let word = Style::Yellow.paint("question:", out.talk_color());
    out.talk(format_args!("{word} {}", visible(&item.question)));
}

async fn answer(cx: &Context, client: &Client, item: &Attention) -> Ended {
    loop {
        let question = format!("{}: ", item.options.join(", "));
        let Some(said) = ask(cx.out, &question).await? else {
            cx.out.talk(format_args!(
                "left open; `orchflow attention answer {} …`",
                item.attention_id
            ));
            return Ok(());
        };
        let said = said.trim().to_lowercase();
        let mut meant = item.options.iter().filter(|option| option.starts_with(&said));
        let (Some(choice), None, false) = (meant.next(), meant.next(), said.is_empty()) else {
            cx.out.talk(format_args!("answer one of {}", item.options.join(", ")));
            continue;
        };
        let params = AnswerParams { attention_id: item.attention_id, answer: choice.clone() };
        return match client.call::<Answer>(params).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                cx.out.talk(visible(&error.message));
                Ok(())
            }
            other => other.map(|_| ()).map_err(Into::into),
        };
    }
}
