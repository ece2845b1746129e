//! Runs of any shape, played at random: outcomes, pauses, endings, restarts, late answers.
//! What every command must keep true is checked by the player; here it is that every run
//! ends, that nothing begins too early, and that a restart changes nothing but the epoch.

use orchflow_types::ErrorKind;
use orchflow_types::run::{RunMode, RunOptions};
use orchflow_types::task::TaskStatus;
use orchflow_workflow::{Action, Command, Failure, NodeSpec, Outcome, State, Step, replay};
use proptest::prelude::*;

use crate::player::{
    Player, below, executed, failed, leaf, needs_work, options, plan, said, spec, well,
};

/// One node: whether it writes, what it depends on, and which earlier node is its parent.
type Shape = (bool, Vec<prop::sample::Index>, Option<prop::sample::Index>);

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let index = any::<prop::sample::Index>;
    let depends = prop::collection::vec(index(), 0..3);
    let node = (any::<bool>(), depends, prop::option::weighted(0.3, index()));
    prop::collection::vec(node, 1..9)
}

/// The nodes of a shape. Where groups make a circle of its dependencies, it has no groups.
fn nodes(shapes: &[Shape]) -> Vec<NodeSpec> {
    let mut nodes = grouped(shapes);
    let planned = Command::Planned { plan: plan(&nodes), nodes: nodes.clone() };
    if Player::asked(spec(options())).try_say(planned).is_err() {
        nodes.iter_mut().for_each(|node| node.parent = None);
    }
    nodes
}

/// Dependencies and parents point backwards, but may make a circle by way of groups.
fn grouped(shapes: &[Shape]) -> Vec<NodeSpec> {
    let number = |place: usize| u32::try_from(place + 1).unwrap();
    let nodes = shapes.iter().enumerate().map(|(place, (writes, depends, parent))| {
        let earlier = |index: &prop::sample::Index| number(index.index(place.max(1)));
        let depends: Vec<u32> =
            depends.iter().map(earlier).filter(|n| *n < number(place)).collect();
        let node = leaf(number(place), *writes, &depends);
        match parent.as_ref().map(earlier).filter(|n| *n < number(place)) {
            Some(parent) => below(parent, node),
            None => node,
        }
    });
    nodes.collect()
}

fn any_options() -> impl Strategy<Value = RunOptions> {
    (any::<bool>(), 1..4_u32, 0..3_u32, any::<bool>()).prop_map(
        |(parallel, max_concurrency, max_iterations, auto_approve)| RunOptions {
            mode: if parallel { RunMode::Parallel } else { RunMode::Sequential },
            max_concurrency,
            max_iterations,
            auto_approve,
            ..options()
        },
    )
}

fn outcome(action: &Action, dice: u8) -> Outcome {
    const FAILURES: [Failure; 6] = [
        Failure::Agent,
        Failure::TimedOut,
        Failure::Cancelled,
        Failure::Denied,
        Failure::Environment,
        Failure::NoRoom,
    ];
    match (dice, &action.step) {
        (0..20, _) => failed(FAILURES[usize::from(dice) % FAILURES.len()]),
        (20..60, Step::Gate { gate, .. }) => Outcome::Gated(said(&gate.name, 1)),
        (20..60, Step::Audit { .. }) => needs_work(),
        (20..40, Step::Execute { agent: Some(_), .. }) => executed(false),
        (20..40, Step::Execute { agent: None, .. }) => Outcome::Executed {
            pane: None,
            changed: false,
            summary: String::new(),
            gate: Some(said("command", 1)),
        },
        (20..40, Step::Commit) => Outcome::Committed { commit: None },
        (20..40, Step::Merge) => Outcome::MergeConflict { files: Vec::new() },
        (40..60, Step::Merge) => Outcome::MergedRed(said("test", 1)),
        _ => well(action),
    }
}

/// What is said next, by two throws of the dice; none when the throw means nothing here.
fn next(state: &State, nodes: &[NodeSpec], what: u8, how: u8) -> Option<Command> {
    let reason = || "said by the dice".to_owned();
    match what {
        0..8 => return Some(Command::Pause),
        8..24 => return Some(Command::Resume),
        24..27 => return Some(Command::Cancel { reason: reason() }),
        27..30 => return Some(Command::Deadline),
        30..34 => return Some(Command::Reject { reason: reason() }),
        34..38 => return Some(Command::PlanFailed { kind: ErrorKind::Timeout, reason: reason() }),
        _ => {}
    }
    let place = usize::from(what) % state.in_flight().len().max(1);
    let action = state.in_flight().nth(place)?;
    Some(answer(action, nodes, outcome_or_none(action, how)))
}

fn outcome_or_none(action: &Action, dice: u8) -> Option<Outcome> {
    let is_question = matches!(action.step, Step::Plan | Step::AskApproval);
    (!is_question || dice < 10).then(|| match is_question {
        true if dice < 5 => failed(Failure::NoRoom),
        true => failed(Failure::Cancelled),
        false => outcome(action, dice),
    })
}

fn answer(action: &Action, nodes: &[NodeSpec], outcome: Option<Outcome>) -> Command {
    match (&action.step, outcome) {
        (_, Some(outcome)) => {
            Command::Done { key: action.key.clone(), epoch: action.epoch, outcome }
        }
        (Step::Plan, None) => Command::Planned { plan: plan(nodes), nodes: nodes.to_vec() },
        (_, None) => Command::Approve { plan: None },
    }
}

/// Says one thing; a refusal is an answer, too.
fn say(player: &mut Player, command: Command) {
    let was_paused = player.state.status() == orchflow_types::run::RunStatus::Paused;
    let restarts = matches!(command, Command::Restart { .. });
    let Ok(effects) = player.try_say(command) else { return };
    let paused = was_paused && player.state.status() == orchflow_types::run::RunStatus::Paused;
    assert!(!paused || restarts || effects.actions.is_empty(), "begun while paused");
}

/// Plays the throws, then lets all go well until the run has ended.
fn play(player: &mut Player, nodes: &[NodeSpec], throws: &[(u8, u8)], restarts: bool) {
    let mut epoch = 1;
    for (what, how) in throws {
        if let Some(command) = next(&player.state, nodes, *what, *how) {
            say(player, command);
        }
        if restarts {
            epoch += 1;
            say(player, Command::Restart { epoch });
        }
    }
    for _ in 0..10_000 {
        let Some(action) = player.state.in_flight().next().cloned() else {
            if player.try_say(Command::Resume).is_err() {
                return;
            }
            continue;
        };
        let is_question = matches!(action.step, Step::Plan | Step::AskApproval);
        let outcome = (!is_question).then(|| well(&action));
        say(player, answer(&action, nodes, outcome));
    }
    panic!("the run never ends");
}

/// No leaf may have been begun whose dependencies, or whose groups' dependencies, are not
/// completed in the end: what was completed once stays so.
fn nothing_began_too_early(state: &State, nodes: &[NodeSpec]) {
    for leaf in state.leaves().filter(|leaf| leaf.agent.is_some() || leaf.worktree.is_some()) {
        let mut here = Some(leaf.task_id);
        while let Some(node) = nodes.iter().find(|node| Some(node.task_id) == here) {
            for on in &node.depends {
                let status = state.task_status(*on);
                assert_eq!(status, Some(TaskStatus::Completed), "{}", leaf.plan.key);
            }
            here = node.parent;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_run_ends_once_and_its_journal_leads_there_again(
        shapes in shapes(),
        options in any_options(),
        throws in prop::collection::vec(any::<(u8, u8)>(), 0..60),
    ) {
        let nodes = nodes(&shapes);
        let mut player = Player::asked(spec(options));
        play(&mut player, &nodes, &throws, false);
        prop_assert!(player.state.status().is_final());
        nothing_began_too_early(&player.state, &nodes);

        let json = serde_json::to_string(&player.journal).unwrap();
        let journal: Vec<_> = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&replay(journal).unwrap(), &player.state);
        let json = serde_json::to_string(&player.state).unwrap();
        let read: State = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&read, &player.state);
    }

    #[test]
    fn a_restart_after_every_command_leads_to_the_same_end(
        shapes in shapes(),
        options in any_options(),
        throws in prop::collection::vec(any::<(u8, u8)>(), 0..60),
    ) {
        let nodes = nodes(&shapes);
        let mut calm = Player::asked(spec(options.clone()));
        play(&mut calm, &nodes, &throws, false);
        let mut restless = Player::asked(spec(options));
        play(&mut restless, &nodes, &throws, true);
        let (mut calm, mut restless) = (calm.state.view(), restless.state.view());
        (calm.finished_at, restless.finished_at) = (None, None);
        prop_assert_eq!(calm, restless);
    }
}
