//! What stands around a run: its driver's end, its fence, its minutes, its rows.

mod bed;
mod consent;
mod resume;

use std::sync::atomic::Ordering;

use orchflow_protocol::run::{ApproveParams, RunParams, StartParams};
use orchflow_protocol::task::{CreateParams, StartParams as StartTask, TaskParams};
use orchflow_store::journal;
use orchflow_types::ErrorKind;
use orchflow_types::Explain;
use orchflow_types::run::RunStatus;
use orchflow_types::task::{Task, TaskMode, TaskSpec, TaskStatus};

use self::bed::{Bed, well};
use super::*;
use crate::tasks;

async fn approve_run(bed: &Bed, run_id: RunId) -> Run {
    let params = ApproveParams { run_id, plan: None, markdown: None };
    approve(bed.cx.clone(), params).await.unwrap()
}

async fn task(bed: &Bed) -> Task {
    let params = CreateParams {
        title: "Work".to_owned(),
        description: String::new(),
        parent_id: None,
        mode: TaskMode::default(),
        spec: TaskSpec { command: vec!["true".to_owned()], ..TaskSpec::default() },
        metadata: serde_json::Map::new(),
    };
    tasks::create(bed.cx.clone(), params).await.unwrap()
}

fn start_task(task_id: TaskId) -> StartTask {
    StartTask { task_id, dir: "/".to_owned(), choices: Default::default() }
}

#[tokio::test]
async fn a_panic_of_a_driver_ends_its_run_as_failed_and_no_other() {
    let mut bed = Bed::new();
    let broken = bed.start(false, true).await;
    let at_work = bed.next("execute").await;
    let other = bed.start(false, true).await;
    let others = bed.next("execute").await;
    let mailbox = bed.cx.registry().mailbox(broken).unwrap();
    mailbox.break_it().await;
    // Behind the panic in the mailbox, and answered all the same.
    let told = pause(bed.cx.clone(), RunParams { run_id: broken }).await;
    assert_eq!(told.unwrap_err().kind(), ErrorKind::Conflict);
    at_work.ends_cancelled();
    let run = bed.until(broken, |run| run.status.is_final()).await;
    assert_eq!(run.status, RunStatus::Failed);
    let reason = run.reason.unwrap();
    assert!(reason.contains("a fault of orchflow") && reason.contains("on purpose"), "{reason}");
    assert_eq!(bed.pending(broken).await, Vec::<String>::new());

    let outcome = well(&others.action);
    others.ends(outcome);
    let run = bed.until(other, |run| run.status.is_final()).await;
    assert_eq!(run.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_driver_that_panics_twice_leaves_a_failed_run_and_no_mailbox() {
    let mut bed = Bed::new();
    let run_id = bed.start(false, true).await;
    let _at_work = bed.next("execute").await;
    let mailbox = bed.cx.registry().mailbox(run_id).unwrap();
    mailbox.break_it().await;
    mailbox.break_it().await;
    let run = bed.until(run_id, |run| run.status.is_final()).await;
    assert_eq!((run.status, run.leaves[0].status), (RunStatus::Failed, TaskStatus::Failed));
    let told = mailbox.tell(Command::Pause).await;
    assert!(matches!(told, Err(Error::RunLost(_))), "{told:?}");
    let told = pause(bed.cx.clone(), RunParams { run_id }).await.unwrap_err();
    assert!(matches!(told, Error::Refused(Refused::Finished { .. })), "{told}");
}

#[tokio::test]
async fn a_performer_that_panics_before_it_begins_fails_its_step() {
    let mut bed = Bed::new();
    let run_id = bed.start(true, true).await;
    let opening = bed.next("open_run").await;
    let outcome = well(&opening.action);
    opening.ends(outcome);
    let leaf = |run: &Run| run.leaves[0].reason.clone();
    let run = bed.until(run_id, |run| leaf(run).is_some()).await;
    assert!(leaf(&run).unwrap().contains("a fault of orchflow"), "{run:#?}");
}

#[tokio::test]
async fn who_does_not_own_a_run_any_more_writes_nothing_of_it() {
    let mut bed = Bed::new();
    let run_id = bed.start(false, true).await;
    let at_work = bed.next("execute").await;
    let lines = async || {
        let read = move |reader: &orchflow_store::Reader<'_>| journal::replay(reader, run_id);
        bed.store.read(read).await.unwrap().len()
    };
    let before = lines().await;
    bed.store.write(move |tx| rows::claim(tx, run_id, 1)).await.unwrap();
    let told = pause(bed.cx.clone(), RunParams { run_id }).await.unwrap_err();
    assert!(matches!(told, Error::RunLost(_)), "{told}");
    let outcome = well(&at_work.action);
    at_work.ends(outcome);
    assert!(bed.cx.registry().mailbox(run_id).is_none());
    assert_eq!(lines().await, before);
    assert_eq!(fetch(&bed.cx, run_id).await.unwrap().status, RunStatus::Running);
}

#[tokio::test]
async fn a_plan_and_its_question_are_settled_when_they_are_answered() {
    let mut bed = Bed::new();
    let run_id = bed.start(true, false).await;
    bed.next("ask_approval").await;
    assert_eq!(bed.pending(run_id).await, ["ask_approval"]);
    approve_run(&bed, run_id).await;
    bed.next("open_run").await;
    assert_eq!(bed.pending(run_id).await, ["open_run"]);
}

#[tokio::test]
async fn the_minutes_of_a_run_do_not_pass_while_it_waits_for_its_approval() {
    const MINUTE: i64 = 60_000;
    let mut bed = Bed::new();
    let run_id = bed.start(true, false).await;
    let question = bed.next("ask_approval").await;
    bed.clock.set(bed.clock.now().plus_millis(90 * MINUTE));
    approve_run(&bed, run_id).await;
    let opening = bed.next("open_run").await;
    let tell = resume(bed.cx.clone(), RunParams { run_id }).await;
    assert_eq!(tell.unwrap_err().kind(), ErrorKind::Conflict, "it is at work, and not late");
    let run = fetch(&bed.cx, run_id).await.unwrap();
    assert_eq!((run.status, run.reason), (RunStatus::Running, None));

    bed.clock.set(bed.clock.now().plus_millis(2 * MINUTE));
    // A driver that sleeps by the real clock looks at this one when it is told something.
    let _ = resume(bed.cx.clone(), RunParams { run_id }).await;
    let run = bed.until(run_id, |run| run.reason.is_some()).await;
    assert_eq!(run.reason.as_deref(), Some("the run's 1 minutes are over"));
    drop((question, opening));
}

#[tokio::test]
async fn a_beginning_looks_at_its_project_once() {
    let mut bed = Bed::new();
    bed.start(false, true).await;
    bed.next("execute").await;
    assert_eq!(bed.manager.detected.swap(0, Ordering::SeqCst), 1, "with a plan");
    let params = StartParams {
        goal: "run the tests".to_owned(),
        dir: "/".to_owned(),
        choices: Default::default(),
        plan: None,
    };
    start(bed.cx.clone(), params).await.unwrap_err(); // there are none here
    assert_eq!(bed.manager.detected.swap(0, Ordering::SeqCst), 1, "of words");
    let task = task(&bed).await;
    tasks::start(bed.cx.clone(), start_task(task.id)).await.unwrap();
    assert_eq!(bed.manager.detected.load(Ordering::SeqCst), 1, "of a task");
}

#[tokio::test]
async fn of_two_who_start_a_task_at_once_one_does() {
    let bed = Bed::new();
    let task = task(&bed).await;
    bed.manager.together.store(2, Ordering::SeqCst);
    let start = || tasks::start(bed.cx.clone(), start_task(task.id));
    let (one, two) = tokio::join!(start(), start());
    let (begun, refused) = if one.is_ok() { (one, two) } else { (two, one) };
    let refused = refused.unwrap_err();
    assert!(matches!(refused, Error::Busy(_, run) if run == begun.unwrap().run_id), "{refused}");
}

#[tokio::test]
async fn a_task_that_went_or_changed_while_it_was_started_is_not_started() {
    let bed = Bed::new();
    bed.manager.together.store(2, Ordering::SeqCst);
    let (gone, changed) = (task(&bed).await, task(&bed).await);
    let start = |task: &Task| tasks::start(bed.cx.clone(), start_task(task.id));
    let meanwhile = async {
        while bed.manager.detected.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        tasks::delete(bed.cx.clone(), TaskParams { task_id: gone.id }).await.unwrap();
        tasks::complete(bed.cx.clone(), TaskParams { task_id: changed.id }).await.unwrap();
        bed.manager.together.store(1, Ordering::SeqCst);
        // The detections that wait are answered with the next one.
        let _ = plan(bed.cx.clone(), PlanParams { goal: "x".into(), dir: "/".into() }).await;
    };
    bed.manager.together.store(3, Ordering::SeqCst);
    let (one, two, ()) = tokio::join!(start(&gone), start(&changed), meanwhile);
    assert_eq!(one.unwrap_err().kind(), ErrorKind::TaskNotFound);
    let refused = two.unwrap_err();
    assert!(matches!(refused, Error::Changed(_)), "{refused}");
}
