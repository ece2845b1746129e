//! What begins when: dependencies, groups, slots, skipping.

use orchflow_types::run::{RunMode, RunOptions, RunStatus};
use orchflow_types::task::TaskStatus::{Active, Cancelled, Completed, Failed, Pending, Skipped};
use orchflow_workflow::{Command, Failure, NodeSpec, Outcome, Refused};

use crate::player::{Player, below, failed, in_a_row, leaf, options, plan, said, spec, task, well};

fn parallel(max_concurrency: u32) -> RunOptions {
    RunOptions { mode: RunMode::Parallel, max_concurrency, ..options() }
}

fn red() -> Outcome {
    let gate = Some(said("command", 1));
    Outcome::Executed { pane: None, changed: false, summary: String::new(), gate }
}

fn answer_leaf(player: &mut Player, n: u32, outcome: Outcome) {
    let action = player.of(n);
    player.done(&action, outcome);
}

fn answer_leaf_well(player: &mut Player, n: u32) {
    let action = player.of(n);
    player.done(&action, well(&action));
}

#[test]
fn leaves_that_look_go_side_by_side_within_the_slots() {
    let nodes: Vec<_> = (1..=6).map(|n| leaf(n, false, &[])).collect();
    let mut player = Player::planned(options(), &nodes);
    let first = ["t1 execute", "t2 execute", "t3 execute", "t4 execute"];
    assert_eq!(player.steps(), first);
    answer_leaf(&mut player, 2, red());
    assert_eq!(player.steps(), ["t1 execute", "t3 execute", "t4 execute", "t5 execute"]);
    assert_eq!(player.finish(), RunStatus::Partial);
}

#[test]
fn in_sequence_one_leaf_writes_while_others_look() {
    let nodes = [leaf(1, true, &[]), leaf(2, true, &[]), leaf(3, false, &[])];
    let mut player = Player::planned(options(), &nodes);
    player.go(&["open_run"]);
    assert_eq!(player.steps(), ["t1 prepare_leaf", "t3 execute"]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
}

#[test]
fn in_parallel_leaves_write_side_by_side_and_merge_one_by_one_in_order() {
    let nodes: Vec<_> = (1..=3).map(|n| leaf(n, true, &[])).collect();
    let mut player = Player::planned(parallel(3), &nodes);
    player.go(&["open_run"]);
    assert_eq!(player.steps().len(), 3);
    for n in [3, 1, 2] {
        for _ in ["prepare", "execute", "build", "test", "audit", "commit"] {
            answer_leaf_well(&mut player, n);
        }
    }
    assert_eq!(player.steps(), ["t3 merge"], "the others wait for their turn");
    player.go(&["merge"]);
    assert_eq!(player.in_flight("merge").task, Some(task(1)));
    player.go(&["merge", "merge"]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
    let told = player.told(orchflow_types::EventType::RunFinished);
    let merged: Vec<_> = [3, 1, 2].map(|n| player.leaf(n).commit.clone()).into();
    assert_eq!(told["commits"], serde_json::json!(merged));
}

#[test]
fn a_leaf_begins_when_all_it_depends_on_is_completed() {
    let nodes = [leaf(1, false, &[]), leaf(2, false, &[]), leaf(3, false, &[1, 2, 1])];
    let mut player = Player::planned(options(), &nodes);
    answer_leaf_well(&mut player, 2);
    assert_eq!(player.status(3), Pending);
    player.go(&["execute"]);
    assert_eq!(player.steps(), ["t3 execute"]);
}

#[test]
fn to_depend_on_a_group_is_to_depend_on_all_its_leaves_and_a_group_holds_its_leaves() {
    let nodes = [
        leaf(10, false, &[]),
        below(10, leaf(1, false, &[])),
        below(10, leaf(2, false, &[])),
        leaf(20, false, &[10]),
        below(20, leaf(3, false, &[])),
        below(20, leaf(4, false, &[3])),
    ];
    let mut player = Player::planned(options(), &nodes);
    assert_eq!(player.steps(), ["t1 execute", "t2 execute"]);
    assert_eq!((player.status(10), player.status(20), player.status(0)), (Active, Pending, Active));
    answer_leaf_well(&mut player, 1);
    assert_eq!(player.steps(), ["t2 execute"]);
    player.go(&["execute"]);
    assert_eq!(player.steps(), ["t3 execute"]);
    assert_eq!((player.status(10), player.status(20)), (Completed, Active));
    assert_eq!(player.finish(), RunStatus::Succeeded);
    assert_eq!((player.status(20), player.status(0)), (Completed, Completed));
}

#[test]
fn what_depends_on_a_failed_leaf_is_skipped_with_its_name_and_others_go_on() {
    let nodes = [
        leaf(1, false, &[]),
        leaf(2, false, &[1]),
        leaf(3, false, &[2]),
        leaf(20, false, &[3]),
        below(20, leaf(4, false, &[])),
        leaf(5, false, &[]),
    ];
    let mut player = Player::planned(options(), &nodes);
    answer_leaf(&mut player, 1, red());
    for n in [2, 3, 4] {
        assert_eq!(player.status(n), Skipped);
        assert_eq!(player.reason(n), "it depends on `t1`, which failed");
    }
    assert_eq!((player.status(20), player.status(5)), (Skipped, Active));
    assert_eq!(player.finish(), RunStatus::Partial);
    assert_eq!(player.status(0), Failed);
    let tasks = &player.told(orchflow_types::EventType::RunFinished)["tasks"];
    let right = serde_json::json!({"completed": 1, "failed": 1, "skipped": 3, "cancelled": 0});
    assert_eq!(tasks, &right);
}

#[test]
fn a_group_that_cannot_be_completed_any_more_holds_nobody_up() {
    let nodes = [
        leaf(10, false, &[]),
        below(10, leaf(1, false, &[])),
        below(10, leaf(2, false, &[])),
        leaf(3, false, &[10]),
    ];
    let mut player = Player::planned(options(), &nodes);
    answer_leaf(&mut player, 1, failed(Failure::Cancelled));
    assert_eq!(
        (player.status(1), player.status(2), player.status(3)),
        (Cancelled, Active, Skipped)
    );
    assert_eq!(player.reason(3), "it depends on `t1`, which was cancelled");
    assert_eq!(player.finish(), RunStatus::Partial);
    assert_eq!(player.status(10), Cancelled);
}

#[test]
fn a_chain_of_thousands_is_skipped_without_running_out_of_stack() {
    let nodes = in_a_row(20_000);
    let command = Command::Planned { plan: plan(&[]), nodes };
    let (mut state, _) = orchflow_workflow::create(at(0), spec(options()));
    orchflow_workflow::apply(&mut state, at(1), command).unwrap();
    let first = state.in_flight().next().unwrap().clone();
    let done = Command::Done { key: first.key, epoch: first.epoch, outcome: red() };
    let effects = orchflow_workflow::apply(&mut state, at(2), done).unwrap();
    assert_eq!(state.status(), RunStatus::Failed);
    assert_eq!(effects.touched.len(), 20_001);
}

fn at(millis: i64) -> orchflow_types::Timestamp {
    orchflow_types::Timestamp::from_millis(millis)
}

#[test]
fn a_plan_that_cannot_be_worked_through_is_refused_with_words() {
    let cases: Vec<(Vec<NodeSpec>, &str)> = vec![
        (vec![], "it has no task"),
        (vec![leaf(1, false, &[]), leaf(1, false, &[])], "`t1` has the id of another node"),
        (vec![leaf(1, false, &[9])], "as a dependency, and no node has that id"),
        (vec![below(9, leaf(1, false, &[]))], "as its parent, and no node has that id"),
        (vec![leaf(1, false, &[2]), leaf(2, false, &[1])], "`t1`, `t2` are waiting for each other"),
        (vec![leaf(1, false, &[1])], "`t1` is waiting"),
        (vec![leaf(1, false, &[]), below(1, leaf(2, false, &[1]))], "in a circle"),
        (vec![leaf(1, false, &[2]), below(1, leaf(2, false, &[]))], "in a circle"),
        (
            vec![below(2, leaf(1, false, &[])), below(1, leaf(2, false, &[])), leaf(3, false, &[])],
            "`t1`, `t2` are not below the root",
        ),
        (vec![leaf(1, false, &[0])], "in a circle"),
    ];
    for (nodes, words) in cases {
        let mut player = Player::asked(spec(options()));
        let refused = player.try_say(Command::Planned { plan: plan(&nodes), nodes }).unwrap_err();
        assert!(matches!(refused, Refused::BadPlan { .. }), "{refused}");
        assert!(refused.to_string().contains(words), "{refused}");
    }
}
