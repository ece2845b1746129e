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
        tell_if(cx.out, written.as_ref().err());
        let text =
            format!("the plan of {} waits for approval, and nobody can be asked here", run.run_id);
        return Err(Stop::new(ErrorKind::ApprovalNeeded, text).hint(format!(
            "`orchflow runs approve {0}` approves it (edit `.orchflow/plan.md` first, if you like), \
             `orchflow run --resume {0}` follows it",
            run.run_id
        )));
    }
    let mut shown = Shown::first(cx.out, run, plan, written);
    loop {
        let Some(answer) = ask(cx.out, "[a]pprove, [e]dit, [r]eject: ").await? else {
            let text = format!("the plan of {} was neither approved nor rejected", run.run_id);
            return Err(Stop::new(ErrorKind::ApprovalNeeded, text)
                .hint(format!("`orchflow runs approve {}` approves it", run.run_id)));
        };
        match answer.trim().to_lowercase().as_str() {
            "a" | "approve" => {
                let Some(markdown) = shown.agreed().await else { continue };
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
            "e" | "edit" => shown.edit().await?,
            _ => cx.out.talk("answer a, e or r"),
        }
    }
}

/// The plan as the person saw it last: what is approved is that and nothing else.
struct Shown<'a> {
    out: Output,
    run: &'a Run,
    plan: &'a Plan,
    /// What stood in the file then; none when there is no file of it.
    text: Option<String>,
    /// Whether it was a plan.
    is_plan: bool,
}

impl<'a> Shown<'a> {
    /// Shows the plan as it stands in its file, which a person may have changed already.
    fn first(out: Output, run: &'a Run, plan: &'a Plan, written: Result<String, Stop>) -> Self {
        tell_if(out, written.as_ref().err());
        let mut shown = Self { out, run, plan, text: written.ok(), is_plan: true };
        match &shown.text {
            Some(text) if shown.is_changed(text) => {
                shown.is_plan = show_text(out, run.run_id, text);
                if shown.is_plan {
                    out.talk("this is the plan as `.orchflow/plan.md` was changed");
                }
            }
            _ => show(out, plan),
        }
        shown
    }

    fn is_changed(&self, text: &str) -> bool {
        text != plan_markdown::print_for(self.run.run_id, self.plan)
    }

    /// What to approve (none is the plan as it was made), when it is what was shown. Else
    /// what stands in the file now is shown, and asked for anew.
    async fn agreed(&mut self) -> Option<Option<String>> {
        let Some(shown) = self.text.clone() else { return Some(None) };
        if self.look().await {
            if self.is_plan {
                self.out.talk("`.orchflow/plan.md` has changed: this is the plan now");
            }
            return None;
        }
        if !self.is_plan {
            self.out.talk("`.orchflow/plan.md` cannot be approved as it is: mend it with `e`");
            return None;
        }
        Some(Some(shown).filter(|text| self.is_changed(text)))
    }

    /// Opens the file in the person's editor and shows what stands there then.
    async fn edit(&mut self) -> Ended {
        if self.text.is_none() {
            self.out.talk("the plan could not be written to `.orchflow/plan.md`");
            return Ok(());
        }
        plan_file::edit(&plan_file::path(self.run)).await?;
        self.look().await;
        Ok(())
    }

    /// Whether the file has changed; what stands there now is shown then. One that was taken
    /// away is the plan as it was made.
    async fn look(&mut self) -> bool {
        if !plan_file::path(self.run).exists() {
            tell_if(self.out, plan_file::write(self.run, self.plan).await.err().as_ref());
        }
        let now = plan_file::read(self.run);
        tell_if(self.out, now.as_ref().err());
        let now = now.ok();
        let changed = self.text != now;
        if changed {
            let run_id = self.run.run_id;
            self.is_plan = now.as_ref().is_some_and(|now| show_text(self.out, run_id, now));
            self.text = Some(now.unwrap_or_default());
        }
        changed
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

/// Shows the plan a text is, and whether it is one of this run; else the error names its line.
fn show_text(out: Output, run: RunId, text: &str) -> bool {
    match plan_markdown::read(text).and_then(|document| document.of(run)) {
        Ok(plan) => {
            show(out, &plan);
            true
        }
        Err(error) => {
            out.error(&Error::explain(&error));
            false
        }
    }
}

fn tell_if(out: Output, stop: Option<&Stop>) {
    if let Some(Stop::Error(error)) = stop {
        out.error(error);
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
