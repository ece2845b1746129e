//! `run.*`: from words to a tested commit. One task drives each run (`actor`); what it is
//! told is committed with what it wants (`record`) before anything of it is done.

mod actor;
mod begin;
mod record;
mod registry;
mod resume;

use std::collections::BTreeMap;

use orchflow_protocol::git;
use orchflow_protocol::run::{
    ApproveParams, CancelParams, ListParams, ListResult, PlanParams, PlanResult, RejectParams,
    ReportResult, RescueParams, RescueResult, RunParams, StartParams, StartResult, Summary,
};
use orchflow_store::runs as rows;
use orchflow_types::run::{Gate, Planner, Run};
use orchflow_types::{PaneId, RunId, TaskId};
use orchflow_workflow::{Command, Refused, plan_markdown};

use crate::{Error, Orchestrator, attention, perform, report};

pub(crate) use begin::{ground, of_task as begin_of_task};
pub(crate) use registry::Registry;
pub use resume::resume_all;

/// Runs in one page of a list when the caller does not say how many.
const PAGE: u32 = 100;
/// The most in one page.
const PAGE_MAX: u32 = 1000;

/// `run.start`.
///
/// # Errors
/// `no_agent`, `no_repository` and what else stands in the way, before anything is made.
pub async fn start(cx: Orchestrator, params: StartParams) -> Result<StartResult, Error> {
    begin::of_goal(&cx, params).await
}

/// `run.plan`: the plan of a goal; starts nothing.
///
/// # Errors
/// When the goal is empty or nothing can be done for it here.
pub async fn plan(cx: Orchestrator, params: PlanParams) -> Result<PlanResult, Error> {
    let goal = begin::said(&params.goal, "goal")?;
    let mut proposal = perform::propose(&cx, goal, &params.dir).await?;
    let root = &proposal.project.root;
    if !perform::is_for_rules(&proposal.plan)
        && let Some(name) = crate::agents::architects(&cx, root, &BTreeMap::new()).await?.first()
    {
        let note = format!("planned by rules; `orchflow run` asks the architect {name} for a plan");
        proposal.plan.notes.push(note);
    }
    let obstacles = perform::obstacles(&cx, &proposal.plan, &proposal.project.root).await;
    Ok(PlanResult {
        markdown: plan_markdown::print(&proposal.plan),
        plan: proposal.plan,
        obstacles,
    })
}

/// `run.get`.
///
/// # Errors
/// `run_not_found`.
pub async fn get(cx: Orchestrator, params: RunParams) -> Result<Run, Error> {
    fetch(&cx, params.run_id).await
}

/// `run.list`, newest first.
///
/// # Errors
/// When the cursor is none of this list's.
pub async fn list(cx: Orchestrator, params: ListParams) -> Result<ListResult, Error> {
    let before = match &params.cursor {
        None => None,
        Some(given) => Some(given.parse().map_err(|_| Error::BadCursor { given: given.clone() })?),
    };
    let limit = params.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let (status, dir) = (params.status, params.dir);
    let read = move |reader: &orchflow_store::Reader<'_>| {
        rows::list(reader, status, dir.as_deref(), before, limit)
    };
    let found = cx.store().read(read).await?;
    let full = found.len() == limit as usize;
    let next_cursor = found.last().filter(|_| full).map(|run| run.run_id.to_string());
    Ok(ListResult { runs: found.into_iter().map(summary).collect(), next_cursor })
}

fn summary(run: Run) -> Summary {
    Summary {
        run_id: run.run_id,
        goal: run.goal,
        project: run.project,
        status: run.status,
        created_at: run.created_at,
        finished_at: run.finished_at,
    }
}

/// `run.approve`: the first answer wins.
///
/// # Errors
/// `conflict` when it was answered already, `plan` with the line when the edited plan cannot be read.
pub async fn approve(cx: Orchestrator, params: ApproveParams) -> Result<Run, Error> {
    let edited = match (params.plan, params.markdown) {
        (Some(plan), _) => Some(plan),
        (None, Some(markdown)) => Some(plan_markdown::read(&markdown)?.of(params.run_id)?),
        (None, None) => None,
    };
    let edited = match edited {
        Some(plan) => Some(begin::edited(&cx, params.run_id, plan).await?),
        None => None,
    };
    decide(&cx, params.run_id, Command::Approve { plan: edited }).await
}

/// `run.reject`.
///
/// # Errors
/// `conflict` when it was answered already.
pub async fn reject(cx: Orchestrator, params: RejectParams) -> Result<Run, Error> {
    let reason = or_else(params.reason, "the plan was rejected");
    decide(&cx, params.run_id, Command::Reject { reason }).await
}

/// Tells a run what a person says of its plan. The run takes one answer, whichever way it
/// came; who comes later hears which one it was.
pub(crate) async fn decide(
    cx: &Orchestrator,
    run_id: RunId,
    answer: Command,
) -> Result<Run, Error> {
    match tell(cx, run_id, answer).await {
        Err(Error::Refused(refused)) => match attention::plan_answer(cx, run_id).await? {
            Some((attention, answer)) => {
                Err(orchflow_store::Error::AlreadyAnswered { attention, answer }.into())
            }
            None => Err(refused.into()),
        },
        told => told,
    }
}

/// `run.pause`.
///
/// # Errors
/// `conflict` when it has ended or is paused already.
pub async fn pause(cx: Orchestrator, params: RunParams) -> Result<Run, Error> {
    tell(&cx, params.run_id, Command::Pause).await
}

/// `run.resume`.
///
/// # Errors
/// `conflict` when it is not paused.
pub async fn resume(cx: Orchestrator, params: RunParams) -> Result<Run, Error> {
    tell(&cx, params.run_id, Command::Resume).await
}

/// `run.cancel`.
///
/// # Errors
/// `conflict` when it has ended.
pub async fn cancel(cx: Orchestrator, params: CancelParams) -> Result<Run, Error> {
    let reason = or_else(params.reason, "a person cancelled it");
    tell(&cx, params.run_id, Command::Cancel { reason }).await
}

/// `run.report`.
///
/// # Errors
/// `run_not_found`.
pub async fn report(cx: Orchestrator, params: RunParams) -> Result<ReportResult, Error> {
    let run = fetch(&cx, params.run_id).await?;
    Ok(ReportResult { markdown: report::markdown(&run), run })
}

/// `run.rescue`: what was saved before a worktree or branch went.
///
/// # Errors
/// What git says of the repository.
pub async fn rescue(cx: Orchestrator, params: RescueParams) -> Result<RescueResult, Error> {
    Ok(cx.client().call::<git::Rescue>(params).await?)
}

/// Tells a run something and answers the run as it then is.
pub(crate) async fn tell(cx: &Orchestrator, run_id: RunId, command: Command) -> Result<Run, Error> {
    match cx.registry().mailbox(run_id) {
        Some(mailbox) => match mailbox.tell(command).await {
            // It may have ended with this on its way.
            Err(Error::RunLost(_)) => return Err(gone(cx, run_id).await?),
            told => told?,
        },
        None => return Err(gone(cx, run_id).await?),
    }
    fetch(cx, run_id).await
}

/// Why nobody drives a run.
async fn gone(cx: &Orchestrator, run_id: RunId) -> Result<Error, Error> {
    let run = fetch(cx, run_id).await?;
    Ok(if run.status.is_final() {
        Refused::Finished { status: run.status }.into()
    } else {
        Error::RunLost(run_id)
    })
}

/// Notes what was seen around a turn of a leaf, where the run's report tells it.
pub(crate) async fn notice(cx: &Orchestrator, run_id: RunId, task: TaskId, note: String) {
    if let Some(mailbox) = cx.registry().mailbox(run_id) {
        mailbox.report(Command::Noticed { task, note }).await;
    }
}

/// Shows the pane of a leaf to everybody who follows the run.
pub(crate) fn show_pane(cx: &Orchestrator, run_id: RunId, task_id: TaskId, pane: PaneId) {
    if let Some(mailbox) = cx.registry().mailbox(run_id) {
        mailbox.show_pane(task_id, pane);
    }
}

/// Shows the architect at work on the plan, and its pane once there is one, to everybody
/// who follows the run.
pub(crate) fn show_planner(cx: &Orchestrator, run_id: RunId, agent: &str, pane: Option<PaneId>) {
    if let Some(mailbox) = cx.registry().mailbox(run_id) {
        mailbox.show_planner(Planner { agent: agent.to_owned(), pane_id: pane });
    }
}

pub(crate) async fn fetch(cx: &Orchestrator, run_id: RunId) -> Result<Run, Error> {
    cx.store().read(move |reader| rows::get(reader, run_id)).await?.ok_or(Error::NoRun(run_id))
}

/// A run and the checks it has to pass, as they were when it began.
///
/// # Errors
/// `run_not_found`; when its journal cannot be replayed.
pub(crate) async fn with_gates(
    cx: &Orchestrator,
    run_id: RunId,
) -> Result<(Run, Vec<Gate>), Error> {
    let run = fetch(cx, run_id).await?;
    let (state, _) = actor::load(cx, run_id).await?;
    Ok((run, state.gates().to_vec()))
}

fn or_else(text: String, otherwise: &str) -> String {
    if text.trim().is_empty() { otherwise.to_owned() } else { text }
}

#[cfg(test)]
mod tests;
