//! What a leaf costs does not depend on how many there are.
//!
//! Counted, not timed: the effects of each command, and the longest of them. That no
//! command looks at more than it changes shows in that this ends at all in a debug build:
//! a scan per command would be 400 million steps.

use orchflow_types::Timestamp;
use orchflow_types::run::RunStatus;
use orchflow_workflow::{Command, NodeSpec, State, apply, create};

use crate::player::{in_a_row, leaf, options, plan, spec, well};

/// Commands, actions, events and touched tasks per leaf (in hundredths), and the most
/// effects one command had.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    per_leaf: [usize; 4],
    longest: usize,
}

fn cost(nodes: Vec<NodeSpec>) -> Cost {
    let leaves = nodes.len();
    let mut at = 0;
    let mut say = |state: &mut State, command| {
        at += 1;
        apply(state, Timestamp::from_millis(at), command).unwrap()
    };
    let (mut state, _) = create(Timestamp::from_millis(0), spec(options()));
    say(&mut state, Command::Planned { plan: plan(&[]), nodes });
    let (mut count, mut longest) = ([0; 4], 0);
    while let Some(action) = state.in_flight().next().cloned() {
        let outcome = well(&action);
        let effects =
            say(&mut state, Command::Done { key: action.key, epoch: action.epoch, outcome });
        let sizes = [1, effects.actions.len(), effects.events.len(), effects.touched.len()];
        count.iter_mut().zip(sizes).for_each(|(sum, size)| *sum += size);
        longest = longest.max(sizes.iter().sum());
    }
    assert_eq!(state.status(), RunStatus::Succeeded);
    Cost { per_leaf: count.map(|sum| (sum * 100 + leaves / 2) / leaves), longest }
}

fn side_by_side(n: u32) -> Vec<NodeSpec> {
    (1..=n).map(|n| leaf(n, false, &[])).collect()
}

/// All but the last are needed by the last.
fn fan(n: u32) -> Vec<NodeSpec> {
    let mut nodes = side_by_side(n - 1);
    nodes.push(leaf(n, false, &(1..n).collect::<Vec<_>>()));
    nodes
}

#[test]
fn a_leaf_costs_the_same_among_twenty_thousand_as_among_two_thousand() {
    for shape in [in_a_row, side_by_side, fan] {
        let (few, many) = (cost(shape(2_000)), cost(shape(20_000)));
        assert_eq!(few, many);
        assert!(many.per_leaf[2] <= 300, "at most three events a leaf: {many:?}");
        assert_eq!(many.per_leaf[0], 100, "one outcome a leaf: {many:?}");
    }
}
