//! The task tree of a run: what waits for what, and what groups roll up to.
//!
//! Every node counts what still holds it closed (dependencies, and a parent that is
//! itself closed) and knows who depends on it, so that a leaf's end costs only its
//! ancestors and the nodes it sets free or dooms. No answer is ever found by a scan.
//!
//! Who is at work, and how a leaf is done, is not known here.

use std::collections::BTreeMap;

use orchflow_types::TaskId;
use orchflow_types::task::TaskStatus;
use serde::{Deserialize, Serialize};

mod build;

/// The tree. Node 0 is the root.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    index: BTreeMap<TaskId, u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Node {
    task: TaskId,
    parent: Option<u32>,
    children: Vec<u32>,
    /// The nodes that depend on this one.
    dependents: Vec<u32>,
    /// What still keeps it closed: uncompleted dependencies, and a closed parent.
    closed_by: u32,
    /// Its place among the leaves; none is a group.
    leaf: Option<u32>,
    /// Whether something it depends on will never be completed.
    doomed: bool,
    tally: Tally,
}

/// What the leaves of a node came to; a leaf tallies itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Tally {
    /// Leaves that have not ended.
    open: u32,
    begun: bool,
    failed: u32,
    cancelled: u32,
    skipped: u32,
}

/// What the end of a leaf set off.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Leaves that nothing keeps closed any more, by place.
    pub(crate) ready: Vec<u32>,
    /// Leaves that can never begin now, by place; each is named once in the life of a tree.
    pub(crate) doomed: Vec<u32>,
    /// Groups whose status changed, nearest first.
    pub(crate) groups: Vec<u32>,
}

impl Tally {
    const fn broken(self) -> bool {
        self.failed + self.cancelled + self.skipped > 0
    }

    const fn status(self) -> TaskStatus {
        match self {
            Self { open: 1.., begun: true, .. } => TaskStatus::Active,
            Self { open: 1.., .. } => TaskStatus::Pending,
            Self { failed: 1.., .. } => TaskStatus::Failed,
            Self { cancelled: 1.., .. } => TaskStatus::Cancelled,
            Self { skipped: 1.., .. } => TaskStatus::Skipped,
            _ => TaskStatus::Completed,
        }
    }

    const fn count(&mut self, status: TaskStatus) {
        self.open -= 1;
        match status {
            TaskStatus::Failed => self.failed += 1,
            TaskStatus::Cancelled => self.cancelled += 1,
            TaskStatus::Skipped => self.skipped += 1,
            TaskStatus::Completed | TaskStatus::Pending | TaskStatus::Active => {}
        }
    }
}

impl Tree {
    /// Opens the root; gives the leaves that may begin at once, by place.
    pub(crate) fn open(&mut self) -> Vec<u32> {
        self.release(vec![0])
    }

    /// Notes that a leaf begins; gives the groups that became active by it, nearest first.
    pub(crate) fn begin(&mut self, node: u32) -> Vec<u32> {
        let mut groups = Vec::new();
        let mut here = Some(node);
        while let Some(at) = here {
            let found = &mut self.nodes[at as usize];
            if found.tally.begun {
                break;
            }
            found.tally.begun = true;
            if found.leaf.is_none() {
                groups.push(at);
            }
            here = found.parent;
        }
        groups
    }

    /// Notes how a leaf ended; it must not have ended before.
    pub(crate) fn settle(&mut self, node: u32, status: TaskStatus) -> Settled {
        let mut settled = Settled::default();
        let mut here = Some(node);
        while let Some(at) = here {
            let found = &mut self.nodes[at as usize];
            let before = found.tally;
            found.tally.count(status);
            let after = found.tally;
            here = found.parent;
            if found.leaf.is_none() && before.status() != after.status() {
                settled.groups.push(at);
            }
            if after.broken() && !before.broken() {
                self.doom_dependents(at, &mut settled.doomed);
            } else if after.status() == TaskStatus::Completed {
                let freed = self.loosen_dependents(at);
                settled.ready.append(&mut self.release(freed));
            }
        }
        settled
    }

    /// The place of the leaf a task is, if it is one.
    pub(crate) fn leaf_of(&self, task: TaskId) -> Option<u32> {
        self.nodes[*self.index.get(&task)? as usize].leaf
    }

    /// The place of a node of this tree.
    pub(crate) fn place_of(&self, task: TaskId) -> u32 {
        self.index[&task]
    }

    /// What a group has come to so far; none for a leaf or a stranger.
    pub(crate) fn group_status(&self, task: TaskId) -> Option<TaskStatus> {
        let node = &self.nodes[*self.index.get(&task)? as usize];
        node.leaf.is_none().then(|| node.tally.status())
    }

    /// What a node has come to so far.
    pub(crate) fn status(&self, node: u32) -> TaskStatus {
        self.nodes[node as usize].tally.status()
    }

    /// The task a node is.
    pub(crate) fn task(&self, node: u32) -> TaskId {
        self.nodes[node as usize].task
    }

    /// Every task of the tree, the root first.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = TaskId> {
        self.nodes.iter().map(|node| node.task)
    }

    /// Whether every leaf has ended; also when there is no tree yet.
    pub(crate) fn is_through(&self) -> bool {
        self.nodes.first().is_none_or(|root| root.tally.open == 0)
    }

    /// The groups above a node, nearest first.
    pub(crate) fn above(&self, node: u32) -> impl Iterator<Item = u32> {
        let parent = |at: &u32| self.nodes[*at as usize].parent;
        std::iter::successors(parent(&node), move |at| parent(at))
    }

    /// Takes one hold from each node that depends on `node`; gives those now free of holds.
    fn loosen_dependents(&mut self, node: u32) -> Vec<u32> {
        let dependents = std::mem::take(&mut self.nodes[node as usize].dependents);
        let mut freed = Vec::new();
        for &dependent in &dependents {
            let hold = &mut self.nodes[dependent as usize].closed_by;
            *hold -= 1;
            if *hold == 0 {
                freed.push(dependent);
            }
        }
        self.nodes[node as usize].dependents = dependents;
        freed
    }

    /// Opens nodes that nothing holds, and below them what only they held.
    /// Gives the leaves among them, by place.
    fn release(&mut self, mut free: Vec<u32>) -> Vec<u32> {
        let mut ready = Vec::new();
        while let Some(at) = free.pop() {
            if let Some(leaf) = self.nodes[at as usize].leaf {
                ready.push(leaf);
            }
            for place in 0..self.nodes[at as usize].children.len() {
                let child = self.nodes[at as usize].children[place];
                let hold = &mut self.nodes[child as usize].closed_by;
                *hold -= 1;
                if *hold == 0 {
                    free.push(child);
                }
            }
        }
        ready
    }

    /// Names the leaves that depend on `node`, itself or by a group they are in.
    fn doom_dependents(&mut self, node: u32, doomed: &mut Vec<u32>) {
        let mut below = self.nodes[node as usize].dependents.clone();
        while let Some(at) = below.pop() {
            let found = &mut self.nodes[at as usize];
            if !std::mem::replace(&mut found.doomed, true) {
                doomed.extend(found.leaf);
                below.extend(&found.children);
            }
        }
    }
}
