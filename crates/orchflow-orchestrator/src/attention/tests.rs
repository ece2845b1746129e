//! Questions over the end of a daemon, and over the end of the run that asked.

use std::path::Path;
use std::sync::Arc;

use orchflow_client::in_process;
use orchflow_protocol::attention::{AnswerParams, ListParams};
use orchflow_protocol::trust::TrustFile;
use orchflow_runtime::{Clock, Supervisor};
use orchflow_store::Store;

use super::*;
use crate::{Configuration, ProjectSettings};

struct Defaults;

impl Configuration for Defaults {
    fn for_project(&self, _: &Path, _: &[TrustFile]) -> Result<ProjectSettings, Error> {
        Ok(ProjectSettings::default())
    }
}

/// A daemon of its own on a database that others may have had before.
fn daemon(store: &Store) -> Orchestrator {
    let (client, _endpoint) = in_process();
    let (clock, supervisor) = (Clock::system(), Supervisor::new());
    Orchestrator::new(store.clone(), client, clock, supervisor, Arc::new(Defaults))
}

fn question(run_id: RunId, kind: AttentionKind) -> Question {
    Question {
        kind,
        run_id: Some(run_id),
        task_id: None,
        text: "Carry out this plan?".to_owned(),
        options: vec!["approve".to_owned(), "reject".to_owned()],
    }
}

async fn open(cx: &Orchestrator) -> Vec<Attention> {
    list(cx.clone(), ListParams::default()).await.unwrap().items
}

/// Asks in a task of its own and waits until the question is there.
async fn asked(
    cx: &Orchestrator,
    question: Question,
) -> (tokio::task::JoinHandle<Option<String>>, CancellationToken, Attention) {
    let (asker, cancel) = (cx.clone(), CancellationToken::new());
    let called_off = cancel.clone();
    #[expect(clippy::disallowed_methods, reason = "the test itself waits for this task")]
    let asking = tokio::spawn(async move { ask(&asker, question, &called_off).await.unwrap() });
    let mut bell = cx.store().bell();
    loop {
        if let Some(item) = open(cx).await.pop() {
            return (asking, cancel, item);
        }
        bell.changed().await.unwrap();
    }
}

fn database() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&dir.path().join("state.db"), Clock::system().now()).unwrap();
    (dir, store)
}

#[tokio::test]
async fn a_daemon_that_ends_leaves_its_questions_open_for_the_next_one() {
    let (_dir, store) = database();
    let first = daemon(&store);
    let run: RunId = first.mint();
    let (asking, cancel, item) = asked(&first, question(run, AttentionKind::Permission)).await;
    first.supervisor().shutdown().cancel();
    cancel.cancel();
    assert_eq!(asking.await.unwrap(), None);

    let second = daemon(&store);
    assert_eq!(open(&second).await, std::slice::from_ref(&item));
    let (asking, _, again) = asked(&second, question(run, AttentionKind::Permission)).await;
    assert_eq!(again, item, "it is the same question");
    answer(second.clone(), said(&item, APPROVE)).await.unwrap();
    assert_eq!(asking.await.unwrap().as_deref(), Some(APPROVE));
}

fn said(item: &Attention, answer: &str) -> AnswerParams {
    AnswerParams { attention_id: item.attention_id, answer: answer.to_owned() }
}

#[tokio::test]
async fn an_answer_to_a_plan_from_before_a_crash_is_not_asked_for_again() {
    let (_dir, store) = database();
    let cx = daemon(&store);
    let run: RunId = cx.mint();
    let (_asking, _, _) = asked(&cx, question(run, AttentionKind::Plan)).await;
    let at = cx.clock().now();
    store.write(move |tx| settle_plan(tx, run, APPROVE, at)).await.unwrap();
    let told = ask(&cx, question(run, AttentionKind::Plan), &CancellationToken::new()).await;
    assert_eq!(told.unwrap().as_deref(), Some(APPROVE));
}

#[tokio::test]
async fn a_question_that_was_called_off_is_nobodys_answer() {
    let (_dir, store) = database();
    let cx = daemon(&store);
    let run: RunId = cx.mint();
    let (asking, cancel, item) = asked(&cx, question(run, AttentionKind::Plan)).await;
    cancel.cancel();
    assert_eq!(asking.await.unwrap(), None);
    assert_eq!(open(&cx).await, []);
    let (_asking, _, again) = asked(&cx, question(run, AttentionKind::Plan)).await;
    assert_ne!(again.attention_id, item.attention_id);
}

#[tokio::test]
async fn what_a_run_still_asks_is_taken_back_with_its_end() {
    let (_dir, store) = database();
    let cx = daemon(&store);
    let run: RunId = cx.mint();
    let _asking = asked(&cx, question(run, AttentionKind::Permission)).await;
    let at = cx.clock().now();
    store.write(move |tx| withdraw_all(tx, run, at)).await.unwrap();
    assert_eq!(open(&cx).await, []);
}
