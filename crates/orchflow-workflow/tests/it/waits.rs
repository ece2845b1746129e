//! Runs that wait: for room, for a person. What resumes them, and what the time counts for.

use orchflow_types::EventType;
use orchflow_types::run::{RunOptions, RunStatus};
use orchflow_types::task::TaskStatus;
use orchflow_workflow::{Command, Failure, Outcome, Refused};

use crate::player::{Player, failed, leaf, options, spec, task, well};

/// A run whose execution has found no room.
fn without_room() -> Player {
    let mut player = Player::planned(options(), &[leaf(1, true, &[])]);
    player.go(&["open_run", "prepare_leaf"]);
    player.answer("execute", failed(Failure::NoRoom));
    player
}

#[test]
fn a_step_without_room_is_tried_again_after_a_wait_by_itself() {
    for step in ["open_run", "prepare_leaf", "execute", "gate", "commit", "merge", "land"] {
        let mut player = Player::planned(options(), &[leaf(1, true, &[])]);
        while player.in_flight_step(step).is_none() {
            let action = player.state.in_flight().next().unwrap().clone();
            player.done(&action, well(&action));
        }
        for waits in 0..3 {
            let effects = player.answer(step, failed(Failure::NoRoom));
            assert_eq!(player.state.status(), RunStatus::Paused, "{step}");
            assert_eq!(player.state.run().reason.as_deref(), Some("for a reason"));
            assert_eq!(effects.actions.len(), 1, "{step}");
            assert_eq!(player.steps(), ["run await_room"], "{step}, wait {waits}");
            player.answer("await_room", Outcome::Waited);
        }
        assert_eq!(player.finish(), RunStatus::Succeeded, "{step}");
        assert_eq!(player.state.run().reason, None);
    }
}

#[test]
fn a_plan_without_room_is_made_after_a_wait_and_no_earlier_end_is_taken() {
    let mut player = Player::asked(spec(options()));
    player.answer("plan", failed(Failure::NoRoom));
    assert_eq!(player.state.status(), RunStatus::Paused);
    assert_eq!(player.steps(), ["run await_room"]);
    player.answer("await_room", Outcome::Waited);
    assert_eq!((player.state.status(), player.steps()), (RunStatus::Planning, text(&["run plan"])));
    // A wait that fails leaves the plan to a person's word; the run is not through by that.
    player.answer("plan", failed(Failure::NoRoom));
    player.answer("await_room", failed(Failure::Environment));
    assert_eq!(player.state.status(), RunStatus::Paused);
    player.say(Command::Resume);
    player.plan(&[leaf(1, true, &[])]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
}

#[test]
fn a_plan_that_is_held_for_room_can_be_cancelled() {
    let mut player = Player::asked(spec(options()));
    player.answer("plan", failed(Failure::NoRoom));
    player.say(Command::Cancel { reason: "enough".to_owned() });
    assert_eq!((player.state.status(), player.steps()), (RunStatus::Cancelled, Vec::new()));
}

#[test]
fn a_question_without_room_is_asked_after_a_wait_but_not_when_it_was_answered_before() {
    let asking = RunOptions { auto_approve: false, ..options() };
    let without_room = || {
        let mut player = Player::planned(asking.clone(), &[leaf(1, true, &[])]);
        player.answer("ask_approval", failed(Failure::NoRoom));
        assert_eq!(player.steps(), ["run await_room"]);
        player
    };
    let mut asked = without_room();
    asked.answer("await_room", Outcome::Waited);
    assert_eq!(asked.steps(), ["run ask_approval"]);
    assert_eq!(asked.state.status(), RunStatus::AwaitingApproval);

    let mut answered = without_room();
    answered.say(Command::Approve { plan: None });
    assert_eq!(answered.steps(), ["run await_room"], "its work needs room as well");
    answered.answer("await_room", Outcome::Waited);
    assert_eq!(answered.steps(), ["run open_run"]);
    assert_eq!(answered.finish(), RunStatus::Succeeded);

    let mut rejected = without_room();
    rejected.say(Command::Reject { reason: "no".to_owned() });
    assert_eq!(rejected.state.status(), RunStatus::Cancelled);
}

fn text(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_person_need_not_wait_for_room_and_the_wait_is_withdrawn() {
    let mut player = without_room();
    let wait = player.in_flight("await_room");
    let effects = player.say(Command::Resume);
    assert_eq!((effects.stop, effects.settled), (vec![wait.key.clone()], vec![wait.key.clone()]));
    assert_eq!(player.steps(), ["t1 execute"]);
    let late = Command::Done { key: wait.key, epoch: wait.epoch, outcome: Outcome::Waited };
    assert!(matches!(player.try_say(late), Err(Refused::Stale { .. })));
    assert_eq!(player.finish(), RunStatus::Succeeded);
}

#[test]
fn a_wait_for_room_changes_no_key_of_another_step() {
    // Journals of before there were waits hold the keys of their outcomes.
    let landing = |mut player: Player| {
        while player.in_flight_step("land").is_none() {
            let action = player.state.in_flight().next().unwrap().clone();
            player.done(&action, well(&action));
        }
        player.in_flight("land").key
    };
    let straight = Player::planned(options(), &[leaf(1, true, &[])]);
    assert_eq!(landing(without_room()), landing(straight));
}

#[test]
fn a_pause_of_a_person_does_not_end_when_there_is_room() {
    let mut player = without_room();
    player.say(Command::Pause);
    assert_eq!(player.steps(), Vec::<String>::new());
    assert!(matches!(player.try_say(Command::Pause), Err(Refused::Conflict { .. })));
    player.say(Command::Resume);
    player.say(Command::Pause);
    player.answer("execute", failed(Failure::NoRoom));
    assert_eq!(player.steps(), Vec::<String>::new(), "paused by a person already");
    player.say(Command::Resume);
    assert_eq!(player.finish(), RunStatus::Succeeded);
}

#[test]
fn a_wait_for_room_outlives_a_restart_and_ends_with_the_run() {
    let mut player = without_room();
    let effects = player.say(Command::Restart { epoch: 2 });
    assert_eq!(effects.actions, [player.in_flight("await_room")]);
    player.say(Command::Cancel { reason: "enough".to_owned() });
    assert_eq!(player.steps(), ["t1 clean"]);
    assert_eq!(player.finish(), RunStatus::Cancelled);
}

#[test]
fn only_time_in_which_something_is_under_way_is_counted() {
    let asking = RunOptions { auto_approve: false, ..options() };
    let mut player = Player::planned(asking, &[leaf(1, true, &[])]);
    let worked = |player: &Player| player.state.worked(player.now());
    assert_eq!(worked(&player), 1000, "the planning");
    player.wait(3_600_000);
    assert_eq!(worked(&player), 1000, "the plan waits for its approval");
    player.say(Command::Approve { plan: None });
    player.go(&["open_run", "prepare_leaf"]);
    assert_eq!(worked(&player), 3000);
    player.say(Command::Pause);
    player.wait(60_000);
    assert_eq!(worked(&player), 64_000, "what is in flight goes on while the run is paused");
    player.go(&["execute"]);
    assert_eq!(worked(&player), 65_000);
    player.wait(3_600_000);
    assert_eq!(worked(&player), 65_000, "paused, and nothing is in flight");
    player.say(Command::Resume);
    player.answer("gate", failed(Failure::NoRoom));
    player.wait(3_600_000);
    assert_eq!(worked(&player), 66_000, "it waits for room");
    player.answer("await_room", Outcome::Waited);
    player.wait(500_000);
    player.say(Command::Restart { epoch: 2 });
    assert_eq!(worked(&player), 66_000, "how long the process before lived on is not known");
    player.wait(5);
    assert_eq!(worked(&player), 66_005);
}

#[test]
fn what_is_answered_by_another_command_is_settled_and_what_was_withdrawn() {
    let asking = RunOptions { auto_approve: false, ..options() };
    let mut player = Player::asked(spec(asking));
    let planning = player.in_flight("plan").key;
    let effects = player.plan(&[leaf(1, true, &[])]);
    assert_eq!(effects.settled, [planning]);
    let question = player.in_flight("ask_approval").key;
    let effects = player.clone_and_say(Command::Approve { plan: None });
    assert_eq!(effects.settled, std::slice::from_ref(&question));
    let effects = player.clone_and_say(Command::Reject { reason: "no".to_owned() });
    assert_eq!(effects.settled, std::slice::from_ref(&question));
    let effects = player.clone_and_say(Command::Cancel { reason: "no".to_owned() });
    assert_eq!(effects.settled, [question]);
}

#[test]
fn what_was_seen_around_a_turn_is_noted_and_told() {
    let mut player = Player::planned(options(), &[leaf(1, true, &[]), leaf(2, false, &[])]);
    player.go(&["open_run", "prepare_leaf"]);
    let noticed = |n| Command::Noticed { task: task(n), note: "`main` moved".to_owned() };
    player.say(noticed(1));
    assert_eq!(player.leaf(1).notes, ["`main` moved"]);
    assert_eq!(player.told(EventType::TaskUpdated)["note"], "`main` moved");
    let looked = player.of(2);
    player.done(&looked, well(&looked));
    assert!(matches!(player.try_say(noticed(2)), Err(Refused::Conflict { .. })), "it has ended");
    assert!(matches!(player.try_say(noticed(9)), Err(Refused::Conflict { .. })), "no such task");
    assert_eq!(player.finish(), RunStatus::Succeeded);
}

#[test]
fn a_fault_ends_the_run_as_failed_and_cleans_up() {
    let mut player = Player::planned(options(), &[leaf(1, true, &[]), leaf(2, true, &[])]);
    player.go(&["open_run", "prepare_leaf"]);
    let running = player.in_flight("execute").key;
    let effects = player.say(Command::Broken { reason: "a fault".to_owned() });
    assert_eq!(effects.stop, [running]);
    player.answer("execute", failed(Failure::Cancelled));
    assert_eq!(player.finish(), RunStatus::Failed);
    assert_eq!((player.status(1), player.reason(1)), (TaskStatus::Failed, "a fault"));
    assert_eq!(player.told(EventType::RunFinished)["kind"], "internal");
}
