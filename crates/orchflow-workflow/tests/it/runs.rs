//! What befalls a run as a whole: approval, pauses, endings, restarts, refusals.

use orchflow_types::plan::Plan;
use orchflow_types::run::{Landing, RunMode, RunOptions, RunStatus};
use orchflow_types::task::TaskStatus;
use orchflow_types::{ErrorKind, EventType};
use orchflow_workflow::{Command, Failure, Outcome, Refused, ReplayError, Step, replay};

use crate::player::{Player, failed, leaf, options, plan, spec, well};

fn cancel() -> Command {
    Command::Cancel { reason: "enough".to_owned() }
}

fn asking() -> RunOptions {
    RunOptions { auto_approve: false, ..options() }
}

/// One leaf merged, one executing, one waiting.
fn midway() -> Player {
    let nodes = [leaf(1, true, &[]), leaf(2, true, &[1]), leaf(3, true, &[2])];
    let mut player = Player::planned(options(), &nodes);
    player.go(&["open_run", "prepare_leaf", "execute", "gate", "gate", "audit"]);
    player.go(&["commit", "merge", "clean", "prepare_leaf"]);
    assert_eq!(player.steps(), ["t2 execute"]);
    player
}

#[test]
fn a_plan_that_only_looks_needs_no_approval() {
    let mut player = Player::planned(asking(), &[leaf(1, false, &[])]);
    assert_eq!(player.state.status(), RunStatus::Running);
    assert_eq!(player.finish(), RunStatus::Succeeded);
    assert_eq!(player.state.run().base, None, "nothing was opened");
}

#[test]
fn a_plan_that_writes_waits_for_a_person() {
    let mut player = Player::planned(asking(), &[leaf(1, true, &[])]);
    assert_eq!(player.state.status(), RunStatus::AwaitingApproval);
    assert_eq!(player.steps(), ["run ask_approval"]);
    player.say(Command::Approve { plan: None });
    assert_eq!(player.steps(), ["run open_run"]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
    let phases = player.events.iter().filter(|event| event.kind == EventType::RunPhaseChanged);
    let to: Vec<_> = phases.map(|event| event.data["to"].as_str().unwrap()).collect();
    assert_eq!(to, ["awaiting_approval", "running", "landing", "succeeded"]);
}

#[test]
fn a_plan_of_an_architect_waits_for_a_person_even_when_it_only_looks() {
    for (auto_approve, status) in [(false, RunStatus::AwaitingApproval), (true, RunStatus::Running)]
    {
        let mut player = Player::asked(spec(RunOptions { auto_approve, ..options() }));
        let nodes = vec![leaf(1, false, &[])];
        let plan = Plan { by: Some("ann".to_owned()), ..plan(&nodes) };
        player.say(Command::Planned { plan, nodes });
        assert_eq!(player.state.status(), status);
    }
}

#[test]
fn an_edited_plan_replaces_the_proposed_one() {
    let mut player = Player::planned(asking(), &[leaf(1, true, &[]), leaf(2, true, &[])]);
    let nodes = vec![leaf(3, false, &[])];
    let effects = player.say(Command::Approve { plan: Some((plan(&nodes), nodes)) });
    assert_eq!(effects.touched.len(), 2, "the root and the new leaf");
    let keys: Vec<_> = player.state.leaves().map(|leaf| leaf.plan.key.as_str()).collect();
    assert_eq!(keys, ["t3"]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
}

#[test]
fn an_edited_plan_that_cannot_be_worked_through_leaves_the_question_open() {
    let mut player = Player::planned(asking(), &[leaf(1, true, &[])]);
    let nodes = vec![leaf(1, true, &[1])];
    let refused = player.try_say(Command::Approve { plan: Some((plan(&nodes), nodes)) });
    assert!(matches!(refused, Err(Refused::BadPlan { .. })));
    assert_eq!(player.steps(), ["run ask_approval"]);
}

#[test]
fn a_rejected_plan_cancels_the_run() {
    let mut player = Player::planned(asking(), &[leaf(1, true, &[])]);
    player.say(Command::Reject { reason: "too much".to_owned() });
    assert_eq!(player.state.status(), RunStatus::Cancelled);
    assert_eq!(player.state.run().reason.as_deref(), Some("too much"));
    assert_eq!(player.status(1), TaskStatus::Cancelled);
}

#[test]
fn a_run_without_a_plan_fails_with_the_kind_of_its_failure() {
    let mut player = Player::asked(spec(options()));
    let reason = "looked for claude".to_owned();
    player.say(Command::PlanFailed { kind: ErrorKind::NoAgent, reason });
    assert_eq!(player.state.status(), RunStatus::Failed);
    assert_eq!(player.told(EventType::RunFinished)["kind"], "no_agent");
    assert_eq!(player.status(0), TaskStatus::Failed);
}

#[test]
fn a_run_that_cannot_be_opened_fails_whole() {
    let mut player = Player::planned(options(), &[leaf(1, true, &[])]);
    player.answer("open_run", failed(Failure::Environment));
    assert_eq!(player.state.status(), RunStatus::Failed);
    assert_eq!(player.reason(1), "for a reason");
}

#[test]
fn a_paused_run_begins_nothing_and_goes_on_where_it_was() {
    let mut player = midway();
    player.say(Command::Pause);
    assert_eq!(player.state.status(), RunStatus::Paused);
    let effects = player.answer("execute", well(&player.in_flight("execute")));
    assert_eq!(effects.actions, []);
    let effects = player.say(Command::Resume);
    assert_eq!(effects.actions.len(), 1);
    assert_eq!(player.steps(), ["t2 gate"]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
}

#[test]
fn a_cancelled_run_stops_its_agents_waits_for_them_and_cleans_up() {
    let mut player = midway();
    let running = player.in_flight("execute");
    let effects = player.say(cancel());
    assert_eq!(effects.stop, std::slice::from_ref(&running.key));
    assert_eq!(effects.actions, []);
    assert_eq!(player.status(3), TaskStatus::Cancelled);
    player.done(&running, failed(Failure::Cancelled));
    assert_eq!(player.steps(), ["t2 clean"]);
    player.go(&["clean"]);
    assert_eq!(player.steps(), ["run clean"], "nothing lands");
    player.go(&["clean"]);
    assert_eq!(player.state.status(), RunStatus::Cancelled);
    assert_eq!(player.status(1), TaskStatus::Completed, "what is merged stays");
    let landing = player.state.run().landing.as_ref().unwrap();
    assert!(!landing.merged);
    assert_eq!(landing.command.as_deref(), Some("git merge orchflow/run"));
    assert_eq!(landing.commits.len(), 1);
}

#[test]
fn a_merge_under_way_when_the_run_is_cancelled_counts() {
    let mut player = Player::planned(options(), &[leaf(1, true, &[])]);
    player.go(&["open_run", "prepare_leaf", "execute", "gate", "gate", "audit", "commit"]);
    let effects = player.say(cancel());
    assert_eq!(effects.stop, [], "git is not killed midway");
    assert_eq!(player.finish(), RunStatus::Cancelled);
    assert_eq!(player.status(1), TaskStatus::Completed);
}

#[test]
fn a_run_can_be_cancelled_while_it_is_planned_asked_about_opened_or_paused() {
    let mut player = Player::asked(spec(options()));
    let effects = player.say(cancel());
    assert_eq!(effects.stop.len(), 1);
    assert_eq!(player.state.status(), RunStatus::Planning, "the planner owes its outcome");
    player.answer("plan", failed(Failure::Cancelled));
    assert_eq!(player.state.status(), RunStatus::Cancelled);

    let mut player = Player::asked(spec(options()));
    player.say(cancel());
    player.plan(&[leaf(1, true, &[])]);
    assert_eq!(player.state.status(), RunStatus::Cancelled);

    let mut player = Player::planned(asking(), &[leaf(1, true, &[])]);
    let effects = player.say(cancel());
    assert_eq!(effects.stop.len(), 1, "the question is withdrawn");
    assert_eq!(player.state.status(), RunStatus::Cancelled);

    let mut player = Player::planned(options(), &[leaf(1, true, &[])]);
    player.say(cancel());
    player.go(&["open_run"]);
    assert_eq!(player.steps(), ["run clean"]);
    assert_eq!(player.finish(), RunStatus::Cancelled);

    let mut player = midway();
    player.say(Command::Pause);
    player.answer("execute", well(&player.in_flight("execute")));
    player.say(cancel());
    assert_eq!(player.steps(), ["t2 clean"]);
    assert_eq!(player.finish(), RunStatus::Cancelled);
}

#[test]
fn when_the_minutes_are_over_unfinished_leaves_fail_and_what_is_merged_lands() {
    let mut player = midway();
    player.say(Command::Deadline);
    player.answer("execute", failed(Failure::Cancelled));
    player.go(&["clean"]);
    assert_eq!(player.steps(), ["run land"]);
    assert_eq!(player.finish(), RunStatus::Partial);
    for n in [2, 3] {
        assert_eq!(player.status(n), TaskStatus::Failed);
        assert_eq!(player.reason(n), "the run's 120 minutes are over");
    }
    assert_eq!(player.told(EventType::RunFinished)["kind"], "timeout");
}

#[test]
fn what_cannot_land_stays_on_its_branch_and_the_run_has_succeeded() {
    let mut player = Player::planned(options(), &[leaf(1, true, &[])]);
    let status = player.finish_with(|action| match action.step {
        Step::Land => failed(Failure::Environment),
        _ => well(action),
    });
    assert_eq!(status, RunStatus::Succeeded);
    let landing = player.state.run().landing.as_ref().unwrap();
    assert_eq!((landing.merged, landing.branch.as_str()), (false, "orchflow/run"));
    assert_eq!(player.told(EventType::RunFinished)["merged"], false);
}

#[test]
fn a_landing_that_is_held_can_be_given_up_and_one_under_way_cannot() {
    let mut player = Player::planned(options(), &[leaf(1, true, &[])]);
    while player.steps() != ["run land"] {
        let action = player.state.in_flight().next().unwrap().clone();
        player.done(&action, well(&action));
    }
    assert!(matches!(player.try_say(cancel()), Err(Refused::Conflict { .. })));
    player.answer("land", failed(Failure::NoRoom));
    player.say(cancel());
    assert_eq!(player.finish(), RunStatus::Cancelled);
    assert!(!player.state.run().landing.as_ref().unwrap().merged);
}

#[test]
fn after_a_restart_all_in_flight_is_handed_out_again_and_the_old_epoch_is_fenced_off() {
    let nodes = [leaf(1, false, &[]), leaf(2, false, &[])];
    let mut player = Player::planned(options(), &nodes);
    let old: Vec<_> = player.state.in_flight().cloned().collect();
    let effects = player.say(Command::Restart { epoch: 2 });
    let keys: Vec<_> = effects.actions.iter().map(|action| &action.key).collect();
    assert_eq!(keys, old.iter().map(|action| &action.key).collect::<Vec<_>>());
    assert!(effects.actions.iter().all(|action| action.epoch == 2));
    let late = Command::Done { key: old[0].key.clone(), epoch: 1, outcome: well(&old[0]) };
    assert!(matches!(player.try_say(late), Err(Refused::Stale { epoch: 1, .. })));
    let older = player.try_say(Command::Restart { epoch: 2 });
    assert_eq!(older, Err(Refused::OldEpoch { given: 2, current: 2 }));
    assert_eq!(player.finish(), RunStatus::Succeeded);
}

#[test]
fn a_restart_in_the_middle_of_an_ending_stops_again_what_it_hands_out() {
    let mut player = midway();
    player.say(cancel());
    let effects = player.say(Command::Restart { epoch: 2 });
    assert_eq!(effects.stop, [effects.actions[0].key.clone()]);
}

#[test]
fn an_outcome_is_taken_once_and_only_one_that_fits() {
    let nodes = [leaf(1, false, &[]), leaf(2, false, &[])];
    let mut player = Player::planned(options(), &nodes);
    let action = player.state.in_flight().next().unwrap().clone();
    let say = |outcome| Command::Done { key: action.key.clone(), epoch: 1, outcome };
    let odd = player.try_say(say(Outcome::Committed { commit: None }));
    assert!(matches!(odd, Err(Refused::Conflict { .. })), "{odd:?}");
    player.say(say(well(&action)));
    assert!(matches!(player.try_say(say(well(&action))), Err(Refused::Stale { .. })));
}

#[test]
fn a_command_in_the_wrong_place_is_refused_with_words() {
    let approve = || Command::Approve { plan: None };
    let planned = || Command::Planned { plan: plan(&[]), nodes: vec![] };
    let mut asked = Player::asked(spec(options()));
    let mut waiting = Player::planned(asking(), &[leaf(1, true, &[])]);
    let mut working = midway();
    let mut ending = midway();
    ending.say(cancel());
    let refuse = |player: &mut Player, command: Command, words: &str| {
        let refused = player.try_say(command).unwrap_err();
        assert!(matches!(refused, Refused::Conflict { .. }), "{refused}");
        assert!(refused.to_string().contains(words), "{refused}");
    };
    refuse(&mut asked, Command::Create(spec(options())), "created already");
    refuse(&mut asked, approve(), "there is no plan yet");
    refuse(&mut asked, Command::Pause, "no task is at work yet");
    refuse(&mut waiting, planned(), "the plan is made already");
    refuse(&mut waiting, Command::Pause, "no task is at work yet");
    refuse(&mut working, approve(), "approved already");
    refuse(&mut working, Command::Resume, "not paused");
    refuse(&mut ending, cancel(), "ending already");
    refuse(&mut ending, Command::Pause, "the run is ending");
    working.say(Command::Pause);
    refuse(&mut working, Command::Pause, "paused already");
}

#[test]
fn a_finished_run_refuses_everything() {
    let mut player = Player::planned(options(), &[leaf(1, false, &[])]);
    let action = player.state.in_flight().next().unwrap().clone();
    player.finish();
    let done = Command::Done { key: action.key.clone(), epoch: 1, outcome: well(&action) };
    let restart = Command::Restart { epoch: 9 };
    for command in [done, restart, Command::Pause, Command::Resume, cancel(), Command::Deadline] {
        let refused = player.try_say(command);
        assert_eq!(refused, Err(Refused::Finished { status: RunStatus::Succeeded }));
    }
}

#[test]
fn a_run_lands_only_what_was_merged_and_asks_even_when_it_may_not_commit() {
    let options = RunOptions { commit: false, mode: RunMode::Parallel, ..options() };
    let mut player = Player::planned(options, &[leaf(1, true, &[])]);
    let status = player.finish_with(|action| match action.step {
        Step::Land => Outcome::Landed(Landing {
            merged: false,
            reason: Some("--no-commit".to_owned()),
            command: Some("git merge orchflow/run".to_owned()),
            branch: "orchflow/run".to_owned(),
            commits: Vec::new(),
        }),
        _ => well(action),
    });
    assert_eq!(status, RunStatus::Succeeded);
    assert_eq!(player.state.run().landing.as_ref().unwrap().branch, "orchflow/run");
}

#[test]
fn an_action_is_named_by_its_owner_its_step_and_how_many_came_before() {
    let mut player = Player::planned(options(), &[leaf(1, true, &[])]);
    let mut keys = Vec::new();
    player.finish_with(|action| {
        keys.push(action.key.to_string());
        well(action)
    });
    let (run, task) = (player.state.run_id(), player.leaf(1).task_id);
    let of_run = ["open_run/1", "land/2", "clean/3"].map(|step| format!("{run}/{step}"));
    let of_task = ["prepare_leaf/0", "execute/1", "gate/2", "gate/3", "audit/4", "commit/5"];
    let of_task = of_task.into_iter().chain(["merge/6", "clean/7"]);
    let mut right: Vec<String> = of_task.map(|step| format!("{task}/{step}")).collect();
    right.splice(0..0, of_run[..1].iter().cloned());
    right.extend(of_run[1..].iter().cloned());
    assert_eq!(keys, right);
}

#[test]
fn a_run_tells_what_happens_to_it_in_order() {
    let mut player = Player::planned(options(), &[leaf(1, false, &[])]);
    player.finish();
    let told: Vec<_> = player.events.iter().map(|event| event.kind.as_str()).collect();
    let begins = ["run.started", "run.checkpointed", "task.updated", "task.updated"];
    let ends = ["run.phase_changed", "run.checkpointed", "task.updated", "task.updated"];
    let right = [begins, ends].concat();
    assert_eq!(told, [right.as_slice(), &["run.phase_changed", "run.finished"]].concat());
    let steps = player.events.iter().filter(|event| event.kind == EventType::RunCheckpointed);
    let steps: Vec<_> = steps.map(|event| event.data["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["plan", "execute"]);
}

#[test]
fn a_journal_that_is_not_one_is_refused_with_its_place() {
    let at = orchflow_types::Timestamp::from_millis(0);
    assert_eq!(replay([]), Err(ReplayError::NoBeginning));
    assert_eq!(replay([(at, Command::Pause)]), Err(ReplayError::NoBeginning));
    let created = (at, Command::Create(spec(options())));
    let error = replay([created, (at, Command::Resume)]).unwrap_err();
    assert!(matches!(error, ReplayError::Refused { place: 1, .. }), "{error}");
}
