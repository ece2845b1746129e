//! Building the tree from a plan's nodes, and refusing what cannot be worked through.

use std::collections::{BTreeMap, BTreeSet};

use orchflow_types::TaskId;
use orchflow_types::task::TaskStatus;

use super::{Node, Tally, Tree};
use crate::refused::Refused;
use crate::spec::NodeSpec;

impl Tree {
    /// The tree of a plan's nodes below `root`; the root itself may be among them.
    /// Leaves get their places in the order of `nodes`.
    ///
    /// # Errors
    /// [`Refused::BadPlan`] when an id is named twice or is unknown, when a node is not
    /// below the root, and when nodes wait for each other in a circle.
    pub(crate) fn build(root: TaskId, nodes: &[NodeSpec]) -> Result<Self, Refused> {
        let mut tree = Self::default();
        let root_is_given = nodes.iter().any(|node| node.task_id == root);
        if !root_is_given {
            tree.add(root, "the root")?;
        }
        // The root takes place 0, wherever the plan has it.
        let (first, rest): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| node.task_id == root);
        for node in first.into_iter().chain(rest) {
            tree.add(node.task_id, &node.plan.key)?;
        }
        for node in nodes {
            tree.connect(node)?;
        }
        tree.number_leaves(nodes);
        tree.refuse_strays(nodes)?;
        tree.refuse_circles(nodes)?;
        Ok(tree)
    }

    fn add(&mut self, task: TaskId, key: &str) -> Result<(), Refused> {
        let place = u32::try_from(self.nodes.len())
            .map_err(|_| bad("it has more nodes than a run can hold".to_owned()))?;
        if self.index.insert(task, place).is_some() {
            return Err(bad(format!("`{key}` has the id of another node, {task}")));
        }
        self.nodes.push(Node {
            task,
            parent: None,
            children: Vec::new(),
            dependents: Vec::new(),
            closed_by: 0,
            leaf: None,
            doomed: false,
            tally: Tally::default(),
        });
        Ok(())
    }

    fn connect(&mut self, node: &NodeSpec) -> Result<(), Refused> {
        let find = |index: &BTreeMap<TaskId, u32>, task: TaskId, what: &str| {
            index.get(&task).copied().ok_or_else(|| {
                bad(format!("`{}` names {task} as {what}, and no node has that id", node.plan.key))
            })
        };
        let here = self.index[&node.task_id];
        for &task in &node.depends {
            let on = find(&self.index, task, "a dependency")?;
            let dependents = &mut self.nodes[on as usize].dependents;
            // A dependency named twice is one dependency; the same node's come in a row.
            if dependents.last() != Some(&here) {
                dependents.push(here);
                self.nodes[here as usize].closed_by += 1;
            }
        }
        if here == 0 {
            return Ok(());
        }
        let parent = match node.parent {
            Some(task) => find(&self.index, task, "its parent")?,
            None => 0,
        };
        self.nodes[here as usize].parent = Some(parent);
        self.nodes[here as usize].closed_by += 1;
        self.nodes[parent as usize].children.push(here);
        Ok(())
    }

    fn number_leaves(&mut self, nodes: &[NodeSpec]) {
        let mut next = 0;
        for node in nodes {
            let here = &mut self.nodes[self.index[&node.task_id] as usize];
            if here.children.is_empty() {
                here.leaf = Some(next);
                here.tally.open = 1;
                next += 1;
            }
        }
    }

    /// Refuses nodes that cannot be reached from the root (their parents form a circle),
    /// and counts the leaves of every group on the way.
    fn refuse_strays(&mut self, nodes: &[NodeSpec]) -> Result<(), Refused> {
        let mut order = vec![0_u32];
        let mut at = 0;
        while let Some(&here) = order.get(at) {
            order.extend(&self.nodes[here as usize].children);
            at += 1;
        }
        if order.len() != self.nodes.len() {
            let reached: BTreeSet<u32> = order.into_iter().collect();
            let strays = nodes.iter().filter(|node| !reached.contains(&self.index[&node.task_id]));
            return Err(bad(format!("{} not below the root of the run", keys(strays))));
        }
        for &here in order.iter().rev() {
            if let Some(parent) = self.nodes[here as usize].parent {
                self.nodes[parent as usize].tally.open += self.nodes[here as usize].tally.open;
            }
        }
        if self.nodes[0].tally.open == 0 {
            return Err(bad("it has no task".to_owned()));
        }
        Ok(())
    }

    /// Plays the tree through with every leaf completed; what never becomes ready waits
    /// for itself.
    fn refuse_circles(&self, nodes: &[NodeSpec]) -> Result<(), Refused> {
        let node_of = |node: &NodeSpec| self.index[&node.task_id];
        let is_leaf = |node: &u32| self.nodes[*node as usize].leaf.is_some();
        let leaves: Vec<u32> = nodes.iter().map(node_of).filter(is_leaf).collect();
        let mut play = self.clone();
        let mut ready = if play.nodes[0].closed_by == 0 { play.open() } else { Vec::new() };
        while let Some(leaf) = ready.pop() {
            let node = leaves[leaf as usize];
            ready.append(&mut play.settle(node, TaskStatus::Completed).ready);
        }
        if play.nodes[0].tally.open == 0 {
            return Ok(());
        }
        let is_stuck = |node: &&NodeSpec| play.nodes[node_of(node) as usize].tally.open > 0;
        let stuck = nodes.iter().filter(is_stuck);
        Err(bad(format!("{} waiting for each other in a circle", keys(stuck))))
    }
}

/// Names a few nodes, with the verb that suits their number.
fn keys<'a>(nodes: impl Iterator<Item = &'a NodeSpec>) -> String {
    let keys: Vec<String> = nodes.map(|node| format!("`{}`", node.plan.key)).collect();
    match keys.as_slice() {
        [one] => format!("{one} is"),
        few if few.len() <= 5 => format!("{} are", few.join(", ")),
        many => format!("{} and {} more are", many[..5].join(", "), many.len() - 5),
    }
}

fn bad(reason: String) -> Refused {
    Refused::BadPlan { reason }
}
