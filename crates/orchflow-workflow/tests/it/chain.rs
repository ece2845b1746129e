//! The way of one leaf.

use orchflow_types::Role;
use orchflow_types::run::{LeafPhase, Refusal, RunOptions, RunStatus, Verdict};
use orchflow_types::task::TaskStatus;
use orchflow_workflow::{Failure, Outcome, Step};

use crate::player::{Player, below, executed, failed, leaf, needs_work, options, said, task, well};

fn one_writer() -> Player {
    let mut player = Player::planned(options(), &[leaf(1, true, &[])]);
    player.go(&["open_run"]);
    player
}

fn with_chain(role: Role, names: &[&str]) -> RunOptions {
    let mut options = options();
    options.chains.insert(role, names.iter().map(|name| (*name).to_owned()).collect());
    options
}

fn executing(player: &Player) -> (Role, Option<String>, u32, u32, usize, usize) {
    match player.in_flight("execute").step {
        Step::Execute { role, agent, turn, iteration, findings, red_gates } => {
            (role, agent, turn, iteration, findings.len(), red_gates.len())
        }
        step => panic!("{step:?}"),
    }
}

#[test]
fn a_leaf_that_writes_goes_its_whole_way() {
    let mut player = one_writer();
    let phases = [
        ("prepare_leaf", LeafPhase::Preparing),
        ("execute", LeafPhase::Executing),
        ("gate", LeafPhase::Gating),
        ("gate", LeafPhase::Gating),
        ("audit", LeafPhase::Auditing),
        ("commit", LeafPhase::Committing),
        ("merge", LeafPhase::Merging),
        ("clean", LeafPhase::Merging),
    ];
    for (step, phase) in phases {
        assert_eq!(player.leaf(1).phase, phase, "{step}");
        player.go(&[step]);
    }
    let done = player.leaf(1);
    assert_eq!((done.status, done.phase), (TaskStatus::Completed, LeafPhase::Done));
    assert!(done.commit.as_deref().unwrap().starts_with("merge-of-"), "{done:?}");
    assert_eq!(done.audit.as_ref().unwrap().verdict, Verdict::Approved);
    assert_eq!(done.gates, [said("build", 0), said("test", 0)]);
    assert_eq!(player.steps(), ["run land"]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
    assert!(player.state.run().landing.as_ref().unwrap().merged);
}

#[test]
fn a_leaf_that_looks_is_as_green_as_its_command() {
    for (exit_code, status) in [(0, TaskStatus::Completed), (101, TaskStatus::Failed)] {
        let mut player = Player::planned(options(), &[leaf(1, false, &[])]);
        assert_eq!(player.steps(), ["t1 execute"], "no worktree, no audit");
        let gate = Some(said("cargo test", exit_code));
        let summary = "ran".to_owned();
        player.answer("execute", Outcome::Executed { pane: None, changed: false, summary, gate });
        assert_eq!(player.status(1), status);
        assert!(player.state.status().is_final());
        assert_eq!(player.reason(1).contains("exited with 101"), exit_code != 0);
    }
}

#[test]
fn the_author_of_a_work_does_not_audit_it() {
    let mut player = one_writer();
    player.go(&["prepare_leaf", "execute", "gate", "gate"]);
    let Step::Audit { agent, .. } = player.in_flight("audit").step else { panic!() };
    assert_eq!(agent, "bob", "ann did the work");
}

#[test]
fn without_another_agent_it_is_gates_only_and_nothing_is_called_approved() {
    let mut player = Player::planned(with_chain(Role::Auditor, &["ann"]), &[leaf(1, true, &[])]);
    player.go(&["open_run", "prepare_leaf", "execute", "gate", "gate", "commit"]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
    assert_eq!(player.leaf(1).audit, None);
}

#[test]
fn a_red_gate_is_fixed_and_every_gate_judges_again() {
    let mut player = one_writer();
    player.go(&["prepare_leaf", "execute", "gate"]);
    player.answer("gate", Outcome::Gated(said("test", 1)));
    assert_eq!(player.leaf(1).phase, LeafPhase::Fixing);
    let fixer = Some("ann".to_owned());
    assert_eq!(executing(&player), (Role::Consultant, fixer, 1, 1, 0, 1));
    player.go(&["execute"]);
    let Step::Gate { index, .. } = player.in_flight("gate").step else { panic!() };
    assert_eq!(index, 0);
    player.go(&["gate", "gate", "audit"]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
    assert_eq!(player.leaf(1).iteration, 1);
}

#[test]
fn what_an_auditor_refuses_is_fixed_gated_and_audited_again() {
    let mut player = Player::planned(with_chain(Role::Consultant, &["dot"]), &[leaf(1, true, &[])]);
    player.go(&["open_run", "prepare_leaf", "execute", "gate", "gate"]);
    player.answer("audit", needs_work());
    assert_eq!(executing(&player), (Role::Consultant, Some("dot".to_owned()), 1, 1, 1, 0));
    player.go(&["execute", "gate", "gate"]);
    let Step::Audit { agent, iteration } = player.in_flight("audit").step else { panic!() };
    assert_eq!((agent.as_str(), iteration), ("ann", 1), "dot mended it, so ann may judge");
    assert_eq!(player.finish(), RunStatus::Succeeded);
    let done = player.leaf(1);
    assert_eq!(done.audit.as_ref().unwrap().verdict, Verdict::Approved);
    let Outcome::Audited(refusing) = needs_work() else { panic!() };
    let auditor = Some("bob".to_owned());
    let refused = Refusal { iteration: 0, auditor, findings: refusing.findings };
    assert_eq!(done.refused, [refused], "an approval does not make it forgotten");
}

#[test]
fn rounds_of_fixing_are_bounded() {
    let mut player = one_writer();
    let status = player.finish_with(|action| match &action.step {
        Step::Audit { .. } => needs_work(),
        _ => well(action),
    });
    assert_eq!(status, RunStatus::Failed);
    assert_eq!(player.leaf(1).iteration, 3);
    let reason = "the auditor refuses it: off by one (after 3 rounds of fixing)";
    assert_eq!(player.reason(1), reason);
}

#[test]
fn what_was_refused_is_not_let_pass_when_only_its_mender_could_audit() {
    let mut options = with_chain(Role::Auditor, &["bob"]);
    options.chains.insert(Role::Consultant, vec!["bob".to_owned()]);
    let mut player = Player::planned(options, &[leaf(1, true, &[])]);
    player.go(&["open_run", "prepare_leaf", "execute", "gate", "gate"]);
    player.answer("audit", needs_work());
    player.go(&["execute", "gate", "gate"]);
    assert_eq!(player.finish(), RunStatus::Failed);
    assert!(player.reason(1).contains("an auditor refused it"), "{}", player.reason(1));
}

#[test]
fn an_agent_that_gives_up_is_followed_by_the_next_of_its_chain() {
    let mut player = one_writer();
    player.go(&["prepare_leaf"]);
    player.answer("execute", failed(Failure::TimedOut));
    assert_eq!(executing(&player), (Role::Executor, Some("bob".to_owned()), 1, 0, 0, 0));
    assert_eq!(player.leaf(1).notes, ["ann gave up: for a reason"]);
    player.answer("execute", failed(Failure::Agent));
    assert_eq!(player.steps(), ["t1 clean"], "what it left is saved");
    assert_eq!(player.finish(), RunStatus::Failed);
    assert_eq!(player.reason(1), "no executor is left to ask; the last, bob gave up: for a reason");
}

#[test]
fn the_agent_a_plan_names_is_asked_first() {
    let mut node = leaf(1, true, &[]);
    node.plan.agent = Some("bob".to_owned());
    let mut player = Player::planned(options(), &[node]);
    player.go(&["open_run", "prepare_leaf"]);
    assert_eq!(executing(&player).1.as_deref(), Some("bob"));
    player.answer("execute", failed(Failure::Agent));
    assert_eq!(executing(&player).1.as_deref(), Some("ann"));
}

#[test]
fn without_any_agent_the_leaf_fails_with_words() {
    let mut player = Player::planned(RunOptions::default(), &[leaf(1, true, &[])]);
    player.say(orchflow_workflow::Command::Approve { plan: None });
    assert_eq!(player.finish(), RunStatus::Failed);
    assert_eq!(player.reason(1), "there is no executor to ask: its chain is empty");
}

#[test]
fn auditors_that_cannot_be_heard_never_approve() {
    let mut player = one_writer();
    player.go(&["prepare_leaf", "execute", "gate", "gate"]);
    player.answer("audit", failed(Failure::Agent));
    let Step::Audit { agent, .. } = player.in_flight("audit").step else { panic!() };
    assert_eq!(agent, "cid");
    player.answer("audit", failed(Failure::TimedOut));
    assert_eq!(player.finish(), RunStatus::Failed);
    assert!(player.reason(1).starts_with("no auditor could be heard"), "{}", player.reason(1));
}

#[test]
fn work_that_changed_nothing_is_completed_without_a_commit() {
    let mut player = one_writer();
    player.go(&["prepare_leaf"]);
    player.answer("execute", executed(false));
    assert_eq!(player.steps(), ["t1 clean"]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
    assert_eq!(player.leaf(1).notes, ["it changed nothing"]);
    assert_eq!(player.state.run().landing, None);

    let mut player = one_writer();
    player.go(&["prepare_leaf", "execute", "gate", "gate", "audit"]);
    player.answer("commit", Outcome::Committed { commit: None });
    assert_eq!(player.finish(), RunStatus::Succeeded);
    assert_eq!(player.leaf(1).commit, None);
}

#[test]
fn a_leaf_whose_merge_conflicts_or_turns_red_fails_and_the_others_go_on() {
    let conflict = Outcome::MergeConflict { files: vec!["a.rs".to_owned(), "b.rs".to_owned()] };
    let red = Outcome::MergedRed(said("test", 1));
    for (outcome, words) in [(conflict, "a.rs, b.rs"), (red, "`test` is red once it is merged")] {
        let mut player = Player::planned(options(), &[leaf(1, true, &[]), leaf(2, true, &[])]);
        player.go(&["open_run", "prepare_leaf", "execute", "gate", "gate", "audit", "commit"]);
        player.answer("merge", outcome);
        assert_eq!(player.finish(), RunStatus::Partial);
        assert_eq!(
            (player.status(1), player.status(2)),
            (TaskStatus::Failed, TaskStatus::Completed)
        );
        assert!(player.reason(1).contains(words), "{}", player.reason(1));
    }
}

#[test]
fn a_failure_of_any_step_ends_the_leaf_as_it_says() {
    let steps = ["prepare_leaf", "execute", "gate", "gate", "audit", "commit", "merge"];
    for (place, step) in steps.iter().enumerate() {
        for (failure, status) in [
            (Failure::Denied, TaskStatus::Failed),
            (Failure::Environment, TaskStatus::Failed),
            (Failure::Cancelled, TaskStatus::Cancelled),
        ] {
            let mut player = one_writer();
            player.go(&steps[..place]);
            player.answer(step, failed(failure));
            let cleans = usize::from(place > 0);
            assert_eq!(player.steps().iter().filter(|s| *s == "t1 clean").count(), cleans);
            assert_eq!(player.finish(), RunStatus::Failed, "{step} {failure:?}");
            assert_eq!((player.status(1), player.reason(1)), (status, "for a reason"));
        }
    }
}

#[test]
fn a_worktree_that_cannot_be_cleaned_changes_no_verdict() {
    let mut player = one_writer();
    player.go(&["prepare_leaf", "execute", "gate", "gate", "audit", "commit", "merge"]);
    player.answer("clean", failed(Failure::Environment));
    assert_eq!(player.status(1), TaskStatus::Completed);
    assert_eq!(player.leaf(1).notes, ["its worktree could not be cleaned: for a reason"]);
}

#[test]
fn what_a_failed_leaf_left_uncommitted_is_named() {
    let mut player = one_writer();
    player.go(&["prepare_leaf"]);
    player.answer("execute", failed(Failure::Denied));
    player.answer("clean", Outcome::Cleaned { saved_ref: Some("refs/orchflow/x".to_owned()) });
    assert_eq!(player.leaf(1).notes, ["what it had not committed is kept in refs/orchflow/x"]);
}

#[test]
fn a_run_whose_root_is_its_only_leaf_works() {
    let mut node = leaf(0, false, &[]);
    node.parent = None;
    let mut player = Player::planned(options(), &[node]);
    assert_eq!(player.finish(), RunStatus::Succeeded);
    assert_eq!(player.state.task_status(task(0)), Some(TaskStatus::Completed));
}

#[test]
fn events_of_a_leaf_are_found_by_its_run_and_by_every_group_above_it() {
    let nodes = [leaf(1, false, &[]), below(1, leaf(2, false, &[])), below(2, leaf(3, false, &[]))];
    let mut player = Player::planned(options(), &nodes);
    player.finish();
    let of_leaf = player.events.iter().filter(|event| event.about == task(3).to_string());
    let run = player.state.run_id().to_string();
    let above = [run, task(2).to_string(), task(1).to_string(), task(0).to_string()];
    let of_leaf: Vec<_> = of_leaf.collect();
    assert_eq!(of_leaf.len(), 2, "begun and completed");
    assert!(of_leaf.iter().all(|event| event.within == above));
}
