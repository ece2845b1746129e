//! A run whose process before this one is gone, and one whose driver breaks at a bad moment.

use orchflow_store::journal;
use orchflow_types::Timestamp;

use super::bed::{Bed, well};
use super::*;
use crate::runs::actor::{Actor, load};
use crate::runs::resume::resume_all;

/// Writes a line of the journal that no driver of now knows of.
async fn written_before(bed: &Bed, run_id: RunId, seq: u64, (at, said): (Timestamp, Command)) {
    let line = serde_json::to_string(&said).unwrap();
    let write = move |tx: &mut orchflow_store::Tx<'_>| {
        journal::append(tx, run_id, seq, [(at, line.as_str())])
    };
    bed.store.write(write).await.unwrap();
}

async fn epoch(bed: &Bed, run_id: RunId) -> u64 {
    bed.store.read(move |reader| rows::epoch(reader, run_id)).await.unwrap()
}

/// A driver that is to take over a run at work, and whose first write fails: a last line of
/// the process before took its place in the journal.
async fn fails_at_first(bed: &mut Bed) -> (RunId, Actor) {
    let run_id = bed.start(false, true).await;
    let _of_the_process_before = bed.next("execute").await;
    let (state, seq) = load(&bed.cx, run_id).await.unwrap();
    written_before(bed, run_id, seq, (bed.clock.now(), Command::Pause)).await;
    (run_id, Actor::new(bed.cx.clone(), (state, seq)))
}

#[tokio::test]
async fn a_claim_that_cannot_be_written_is_tried_again_and_what_is_in_flight_performed_once() {
    let mut bed = Bed::new();
    let (run_id, actor) = fails_at_first(&mut bed).await;
    actor.take_over(1);
    let at_work = bed.next("execute").await;
    assert_eq!((at_work.action.epoch, epoch(&bed, run_id).await), (1, 1));
    let outcome = well(&at_work.action);
    at_work.ends(outcome);
    bed.until(run_id, |run| run.leaves[0].status.is_final()).await;
}

#[tokio::test]
async fn a_driver_that_panics_before_it_has_claimed_its_run_ends_it_all_the_same() {
    let mut bed = Bed::new();
    let (run_id, actor) = fails_at_first(&mut bed).await;
    // The process before claimed the run and came no further.
    bed.store.write(move |tx| rows::claim(tx, run_id, 1)).await.unwrap();
    let mailbox = bed.cx.registry().mailbox(run_id).unwrap();
    mailbox.break_it().await;
    actor.take_over(2);
    let at_work = bed.next("execute").await;
    assert_eq!(at_work.action.epoch, 2, "handed out by the restart alone");
    at_work.stop.cancelled().await;
    at_work.ends_cancelled();
    let run = bed.until(run_id, |run| run.status.is_final()).await;
    assert_eq!(run.status, RunStatus::Failed);
    assert!(run.reason.unwrap().contains("on purpose"));
}

#[tokio::test]
async fn a_journal_that_makes_the_machine_panic_fails_its_run_and_holds_up_no_other() {
    let mut bed = Bed::new();
    let broken = bed.start(false, true).await;
    let _before = bed.next("execute").await;
    let other = bed.start(false, true).await;
    let _before = bed.next("execute").await;
    // Times that no clock tells: their sum is more than there are numbers.
    let (early, late) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
    let said = [(late, Command::Pause), (early, Command::Resume)];
    let (_, seq) = load(&bed.cx, broken).await.unwrap();
    for (seq, said) in (seq..).zip(said.iter().cycle().take(5)) {
        written_before(&bed, broken, seq, said.clone()).await;
    }
    assert_eq!(resume_all(&bed.cx).await.unwrap(), 1);
    let run = fetch(&bed.cx, broken).await.unwrap();
    assert_eq!((run.status, run.leaves[0].status), (RunStatus::Failed, TaskStatus::Failed));
    assert!(run.reason.unwrap().contains("its journal cannot be replayed"));
    let at_work = bed.next("execute").await;
    let leaf = fetch(&bed.cx, other).await.unwrap().leaves.remove(0);
    assert_eq!(at_work.action.task, Some(leaf.task_id));
    let outcome = well(&at_work.action);
    at_work.ends(outcome);
    let run = bed.until(other, |run| run.status.is_final()).await;
    assert_eq!(run.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_word_to_stop_that_a_panic_swallowed_is_given_again() {
    let mut bed = Bed::new();
    let run_id = bed.start(false, true).await;
    let at_work = bed.next("execute").await;
    let task = fetch(&bed.cx, run_id).await.unwrap().leaves[0].task_id;
    let mailbox = bed.cx.registry().mailbox(run_id).unwrap();
    // The pane sends the cancellation to the disk, and the panic comes before it is back.
    mailbox.report(Command::Cancel { reason: "enough".to_owned() }).await;
    mailbox.show_pane(task, bed.cx.mint());
    mailbox.break_it().await;
    at_work.stop.cancelled().await;
    at_work.ends_cancelled();
    let run = bed.until(run_id, |run| run.status.is_final()).await;
    assert_eq!((run.status, run.reason.as_deref()), (RunStatus::Cancelled, Some("enough")));
}

#[tokio::test]
async fn what_was_stopped_before_a_restart_is_not_begun_anew() {
    let mut bed = Bed::new();
    let run_id = bed.start(false, true).await;
    let before = bed.next("execute").await;
    cancel(bed.cx.clone(), CancelParams { run_id, reason: "enough".to_owned() }).await.unwrap();
    before.stop.cancelled().await;
    assert_eq!(resume_all(&bed.cx).await.unwrap(), 1);
    let again = bed.next("execute").await;
    assert!(again.stop.is_cancelled());
    again.ends_cancelled();
    let run = bed.until(run_id, |run| run.status.is_final()).await;
    assert_eq!(run.status, RunStatus::Cancelled);
}
