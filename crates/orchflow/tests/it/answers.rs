//! Two answers to one plan at the same time: one counts, and the other hears which.

use orchflow_client::{Client, Error};
use orchflow_protocol::attention::{Answer, AnswerParams, List, ListParams};
use orchflow_protocol::run::{
    Approve, ApproveParams, Cancel, CancelParams, Choices, Reject, RejectParams, Start, StartParams,
};
use orchflow_testkit::wait_until;
use orchflow_types::attention::Attention;
use orchflow_types::run::RunStatus;
use orchflow_types::{ErrorKind, RunId};

use crate::stage::{Stage, look};

/// Starts a run whose plan waits for an answer.
async fn asked(stage: &Stage, client: &Client) -> (RunId, Attention) {
    let params =
        StartParams { choices: Choices::default(), ..stage.params("Add a file notes.txt") };
    let run_id = client.call::<Start>(params).await.unwrap().run_id;
    let open = async || {
        let params = ListParams { run_id: Some(run_id), ..ListParams::default() };
        client.call::<List>(params).await.unwrap().items.pop()
    };
    wait_until("the question about the plan", || async { open().await.is_some() }).await;
    (run_id, open().await.unwrap())
}

fn refused(error: &Error, answer: &str) {
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(error.message.ends_with(&format!("was answered already: {answer}")), "{error}");
}

#[tokio::test]
async fn of_an_answer_and_a_verb_at_the_same_time_one_counts_and_the_other_hears_which() {
    let mut stage =
        Stage::with(|scripts| scripts.edits("writer", "notes.txt", "x").unwrap(), "").await;
    stage.daemon.up().await.unwrap();
    let client = stage.daemon.client().await.unwrap();
    for round in 0..8 {
        let (run_id, item) = asked(&stage, &client).await;
        let attention_id = item.attention_id;
        let answer = if round % 2 == 0 { "approve" } else { "reject" };
        let params = AnswerParams { attention_id, answer: answer.to_owned() };
        let answering = client.call::<Answer>(params);
        let (answered, verb, told) = if round % 2 == 0 {
            let reason = "no".to_owned();
            let (one, other) =
                tokio::join!(answering, client.call::<Reject>(RejectParams { run_id, reason }));
            (one, "reject", other)
        } else {
            let params = ApproveParams { run_id, plan: None, markdown: None };
            let (one, other) = tokio::join!(answering, client.call::<Approve>(params));
            (one, "approve", other)
        };
        let stands = match (answered, told) {
            (Ok(item), Err(error)) => {
                assert_eq!(item.answer.as_deref(), Some(answer));
                refused(&error, answer);
                answer
            }
            (Err(error), Ok(_)) => {
                refused(&error, verb);
                verb
            }
            both => panic!("{both:?}"),
        };
        let rejected = || async { look(&client, run_id).await.unwrap().status.is_final() };
        if stands == "reject" {
            wait_until("the end of the rejected run", rejected).await;
            assert_eq!(look(&client, run_id).await.unwrap().status, RunStatus::Cancelled);
        } else {
            let reason = "enough".to_owned();
            let _ = client.call::<Cancel>(CancelParams { run_id, reason }).await; // it may be done by now
            stage.end_of(run_id).await;
        }
    }
}
