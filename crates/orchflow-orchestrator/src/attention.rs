//! `attention.*`: what waits for a person, and who waits for the answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use orchflow_protocol::attention::{AnswerParams, ListParams, ListResult};
use orchflow_runtime::CancellationToken;
use orchflow_store::{attention as rows, events};
use orchflow_types::attention::{Attention, AttentionKind};
use orchflow_types::event::NewEvent;
use orchflow_types::{AttentionId, EventType, RunId, TaskId};
use orchflow_workflow::Command;
use serde_json::json;
use tokio::sync::oneshot;

use crate::{Error, Orchestrator, runs};

/// Answered questions that a list of all shows at most.
const ALL_LIMIT: u32 = 1000;

/// What stands in the place of an answer when nobody needs one any more.
const WITHDRAWN: &str = "withdrawn";

/// The answers to the question about a plan.
pub(crate) const APPROVE: &str = "approve";
pub(crate) const REJECT: &str = "reject";

/// Who waits for which answer.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<HashMap<AttentionId, oneshot::Sender<String>>>);

/// A question to a person.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) kind: AttentionKind,
    pub(crate) run_id: Option<RunId>,
    pub(crate) task_id: Option<TaskId>,
    pub(crate) text: String,
    pub(crate) options: Vec<String>,
}

/// `attention.list`.
///
/// # Errors
/// When the store cannot be read.
pub async fn list(cx: Orchestrator, params: ListParams) -> Result<ListResult, Error> {
    let read = move |reader: &orchflow_store::Reader<'_>| {
        if params.all { rows::all(reader, None, ALL_LIMIT) } else { rows::open(reader) }
            .map(|items| (items, params.run_id))
    };
    let (mut items, run_id) = cx.store().read(read).await?;
    items.retain(|item| run_id.is_none() || item.run_id == run_id);
    items.sort_by_key(|item| item.attention_id);
    Ok(ListResult { items })
}

/// `attention.answer`: the first answer stands.
///
/// # Errors
/// `not_found`, `conflict` with the answer that stands, `invalid_params` with those it takes.
pub async fn answer(cx: Orchestrator, params: AnswerParams) -> Result<Attention, Error> {
    let id = params.attention_id;
    let asked = cx.store().read(move |reader| rows::get(reader, id)).await?;
    if let Some(decision) = asked.as_ref().and_then(|asked| of_plan(asked, &params.answer)) {
        // The run is the one who hears every answer to its plan, those of `run.approve` and
        // `run.reject`, too; the question is answered in the transaction that takes the first.
        let (run_id, command) = decision;
        runs::decide(&cx, run_id, command).await?;
        let answered = cx.store().read(move |reader| rows::get(reader, id)).await?;
        return answered.ok_or(Error::NoAttention(id));
    }
    let (at, given) = (cx.clock().now(), params.answer.clone());
    let write = move |tx: &mut orchflow_store::Tx<'_>| {
        let answered = rows::answer(tx, id, &given, at)?;
        events::append(tx, at, [event(EventType::AttentionAnswered, &answered)])?;
        Ok(answered)
    };
    let answered = cx.store().write(write).await?;
    cx.waiters().wake(id, params.answer);
    Ok(answered)
}

/// What an answer means to the run whose plan an open question is about.
fn of_plan(asked: &Attention, answer: &str) -> Option<(RunId, Command)> {
    let run_id = asked.run_id?;
    if asked.kind != AttentionKind::Plan || asked.answer.is_some() {
        return None;
    }
    let command = match answer {
        APPROVE => Command::Approve { plan: None },
        REJECT => Command::Reject { reason: "a person rejected the plan".to_owned() },
        _ => return None,
    };
    Some((run_id, command))
}

/// Asks and waits. None means that the question was withdrawn since `cancel` came first.
///
/// A question that is open already, from before a restart, is waited for and not asked
/// again; a plan's question that was answered before a crash is not asked again either.
pub(crate) async fn ask(
    cx: &Orchestrator,
    question: Question,
    cancel: &CancellationToken,
) -> Result<Option<String>, Error> {
    let (id, receiver) = match standing(cx, &question).await? {
        Some(Attention { answer: Some(answer), .. }) => return Ok(Some(answer)),
        Some(open) => {
            let id = open.attention_id;
            let receiver = cx.waiters().wait(id);
            // Answered between the look and the wait, nobody would wake this.
            if let Some(answer) =
                cx.store().read(move |tx| rows::get(tx, id)).await?.and_then(|now| now.answer)
            {
                cx.waiters().forget(id);
                return Ok(Some(answer));
            }
            (id, receiver)
        }
        None => raise(cx, question).await?,
    };
    tokio::select! {
        answer = receiver => Ok(answer.ok()),
        () = cancel.cancelled() => {
            cx.waiters().forget(id);
            // A daemon that ends takes nothing back: the next one waits for the same answer.
            if !cx.supervisor().shutdown().is_cancelled() {
                close(cx, id, WITHDRAWN).await;
            }
            Ok(None)
        }
    }
}

async fn standing(cx: &Orchestrator, question: &Question) -> Result<Option<Attention>, Error> {
    let Some(run) = question.run_id else { return Ok(None) };
    let (kind, task, text) = (question.kind, question.task_id, question.text.clone());
    let same = move |item: &Attention| {
        let given = |answer: &String| item.options.contains(answer);
        let reusable =
            item.answer.as_ref().is_none_or(|answer| kind == AttentionKind::Plan && given(answer));
        reusable && item.kind == kind && item.task_id == task && item.question == text
    };
    let read = move |reader: &orchflow_store::Reader<'_>| {
        let mut items = rows::of_run(reader, run)?;
        items.retain(same);
        Ok(items.pop())
    };
    Ok(cx.store().read(read).await?)
}

async fn raise(
    cx: &Orchestrator,
    question: Question,
) -> Result<(AttentionId, oneshot::Receiver<String>), Error> {
    let at = cx.clock().now();
    let asked = Attention {
        attention_id: cx.mint(),
        kind: question.kind,
        run_id: question.run_id,
        task_id: question.task_id,
        question: question.text,
        options: question.options,
        raised_at: at,
        answer: None,
        answered_at: None,
    };
    let id = asked.attention_id;
    let receiver = cx.waiters().wait(id);
    let write = move |tx: &mut orchflow_store::Tx<'_>| {
        rows::raise(tx, &asked)?;
        events::append(tx, at, [event(EventType::AttentionRaised, &asked)])
    };
    cx.store().write(write).await?;
    Ok((id, receiver))
}

/// Answers, within the transaction that decides on a run's plan, the question about it.
pub(crate) fn settle_plan(
    tx: &mut orchflow_store::Tx<'_>,
    run: RunId,
    answer: &str,
    at: orchflow_types::Timestamp,
) -> Result<(), orchflow_store::Error> {
    let open = rows::open_for_run(tx, run)?;
    close_all(tx, open.iter().filter(|item| item.kind == AttentionKind::Plan), answer, at)
}

/// The answer that stands to the question about a run's plan, and the question.
pub(crate) async fn plan_answer(
    cx: &Orchestrator,
    run: RunId,
) -> Result<Option<(AttentionId, String)>, Error> {
    let read = move |reader: &orchflow_store::Reader<'_>| rows::of_run(reader, run);
    let items = cx.store().read(read).await?.into_iter().rev();
    let mut plans = items.filter(|item| item.kind == AttentionKind::Plan);
    Ok(plans.find_map(|item| {
        let answer = item.answer.filter(|answer| item.options.contains(answer))?;
        Some((item.attention_id, answer))
    }))
}

/// Takes back, within the transaction that ends a run, what the run still asks.
pub(crate) fn withdraw_all(
    tx: &mut orchflow_store::Tx<'_>,
    run: RunId,
    at: orchflow_types::Timestamp,
) -> Result<(), orchflow_store::Error> {
    let open = rows::open_for_run(tx, run)?;
    close_all(tx, open.iter(), WITHDRAWN, at)
}

fn close_all<'a>(
    tx: &mut orchflow_store::Tx<'_>,
    open: impl Iterator<Item = &'a Attention>,
    answer: &str,
    at: orchflow_types::Timestamp,
) -> Result<(), orchflow_store::Error> {
    for item in open {
        if let Some(closed) = rows::close(tx, item.attention_id, answer, at)? {
            events::append(tx, at, [event(EventType::AttentionAnswered, &closed)])?;
        }
    }
    Ok(())
}

async fn close(cx: &Orchestrator, id: AttentionId, answer: &str) {
    let (at, answer) = (cx.clock().now(), answer.to_owned());
    let write = move |tx: &mut orchflow_store::Tx<'_>| {
        if let Some(closed) = rows::close(tx, id, &answer, at)? {
            events::append(tx, at, [event(EventType::AttentionAnswered, &closed)])?;
        }
        Ok(())
    };
    if let Err(error) = cx.store().write(write).await {
        tracing::warn!(%id, %error, "a question could not be closed");
    }
}

fn event(kind: EventType, attention: &Attention) -> NewEvent {
    let within =
        [attention.run_id.map(|id| id.to_string()), attention.task_id.map(|id| id.to_string())];
    NewEvent {
        kind,
        about: attention.attention_id.to_string(),
        within: within.into_iter().flatten().collect(),
        data: json!(attention),
    }
}

impl Waiters {
    fn wait(&self, id: AttentionId) -> oneshot::Receiver<String> {
        let (sender, receiver) = oneshot::channel();
        self.lock().insert(id, sender);
        receiver
    }

    fn wake(&self, id: AttentionId, answer: String) {
        if let Some(sender) = self.lock().remove(&id) {
            let _ = sender.send(answer); // who waited may have been cancelled meanwhile
        }
    }

    fn forget(&self, id: AttentionId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<AttentionId, oneshot::Sender<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
