//! The state of one run. Opaque but for what is asked of it here; only `apply` changes it.

use std::collections::{BTreeMap, VecDeque, btree_map};

use orchflow_types::run::{Gate, Leaf, Run, RunStatus};
use orchflow_types::task::TaskStatus;
use orchflow_types::{ErrorKind, RunId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionKey, Onto, Step};
use crate::merge::MergeQueue;
use crate::schedule::Slots;
use crate::spec::Spec;
use crate::tree::Tree;
use crate::worked::Worked;

/// Everything a run knows. It can be stored and read back, and two states of the same
/// journal are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The run as clients see it, but for its leaves, which stand in `leaves`.
    pub(crate) run: Run,
    pub(crate) gates: Vec<Gate>,
    pub(crate) phase: Phase,
    pub(crate) ending: Option<Ending>,
    pub(crate) tree: Tree,
    /// In the plan's order; the tree and the slots name a leaf by its place here.
    pub(crate) leaves: Vec<LeafState>,
    pub(crate) slots: Slots,
    pub(crate) merges: MergeQueue,
    pub(crate) desk: Desk,
    /// The integration branch, once it is open.
    pub(crate) branch: Option<String>,
    /// The user's checkout as it stood when the run was opened.
    pub(crate) onto: Option<Onto>,
    pub(crate) worked: Worked,
}

/// Where the run stands, apart from whether it is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Planning,
    AwaitingApproval,
    Opening,
    Working,
    Landing,
    Finished,
}

/// Why a run winds down before its leaves are through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    /// A person stopped it.
    Cancelled { reason: String },
    /// It has no plan, no room to work in or no minutes left: its unfinished leaves fail.
    Failed { kind: ErrorKind, reason: String },
}

/// A leaf with what only the machine needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeafState {
    /// The leaf as clients see it.
    pub(crate) view: Leaf,
    /// Its place in the tree.
    pub(crate) node: u32,
    /// Actions handed out for it so far.
    pub(crate) issued: u32,
    /// Turns of agents so far.
    pub(crate) turns: u32,
    /// How many agents of the present step's chain gave up.
    pub(crate) gave_up: u32,
    /// The agent whose work the worktree holds; none is the leaf's own command.
    pub(crate) worker: Option<String>,
    /// The commit its worktree started from.
    pub(crate) base: Option<String>,
    /// Whether an action of it is in flight; there is never more than one.
    pub(crate) busy: bool,
    /// What it will be once its worktree is cleaned.
    pub(crate) verdict: Option<TaskStatus>,
}

/// The actions under way and those that wait for the run to be resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Desk {
    pub(crate) epoch: u64,
    pub(crate) paused: bool,
    /// Actions handed out for the run itself so far, waits for room left out: those came
    /// later, and the keys in a journal of before them have to stay what they are.
    pub(crate) issued: u32,
    /// Waits for room so far.
    pub(crate) waits: u32,
    pub(crate) in_flight: BTreeMap<ActionKey, Action>,
    /// Steps that came up while the run was paused, oldest first.
    pub(crate) held: VecDeque<Held>,
}

/// A step that waits for the run to be resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// The place of its leaf; none is the whole run.
    pub(crate) leaf: Option<u32>,
    pub(crate) step: Step,
}

impl Desk {
    /// Whether the run is paused only until there may be room again.
    pub(crate) fn awaits_room(&self) -> bool {
        self.in_flight.values().any(|action| matches!(action.step, Step::AwaitRoom { .. }))
    }
}

impl State {
    pub(crate) fn new(at: Timestamp, spec: Spec) -> Self {
        let desk = Desk {
            epoch: spec.epoch,
            paused: false,
            issued: 0,
            waits: 0,
            in_flight: BTreeMap::new(),
            held: VecDeque::new(),
        };
        let run = Run {
            run_id: spec.run_id,
            task_id: spec.root,
            goal: spec.goal,
            project: spec.project,
            status: RunStatus::Planning,
            options: spec.options,
            planner: None,
            plan: None,
            leaves: Vec::new(),
            base: None,
            landing: None,
            reason: None,
            created_at: at,
            finished_at: None,
        };
        Self {
            run,
            gates: spec.gates,
            phase: Phase::Planning,
            ending: None,
            tree: Tree::default(),
            leaves: Vec::new(),
            slots: Slots::default(),
            merges: MergeQueue::default(),
            desk,
            branch: None,
            onto: None,
            worked: Worked::default(),
        }
    }

    /// The name of the run.
    #[must_use]
    pub const fn run_id(&self) -> RunId {
        self.run.run_id
    }

    /// Where the run stands.
    #[must_use]
    pub const fn status(&self) -> RunStatus {
        self.run.status
    }

    /// The fencing epoch its actions carry.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.desk.epoch
    }

    /// The integration branch, once it is open.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// The user's checkout as it stood when the run was opened; none before that, and in
    /// runs of before it was noted.
    #[must_use]
    pub const fn onto(&self) -> Option<&Onto> {
        self.onto.as_ref()
    }

    /// The milliseconds in which something of the run was under way, until `now`: what
    /// `minutes` limits.
    #[must_use]
    pub fn worked(&self, now: Timestamp) -> u64 {
        self.worked.until(now)
    }

    /// Whether something of the run is under way; else it waits, for a person or for room.
    #[must_use]
    pub fn is_working(&self) -> bool {
        self.desk.in_flight.values().any(|action| !action.step.only_waits())
    }

    /// The run without its leaves: their list is empty here. Costs nothing.
    #[must_use]
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// The leaf a task is, if it is one.
    #[must_use]
    pub fn leaf(&self, task: TaskId) -> Option<&Leaf> {
        let place = self.tree.leaf_of(task)?;
        Some(&self.leaves[place as usize].view)
    }

    /// The leaves, in the plan's order.
    pub fn leaves(&self) -> impl ExactSizeIterator<Item = &Leaf> {
        self.leaves.iter().map(|leaf| &leaf.view)
    }

    /// Where a task of the run stands, leaf or group; none when it is not of this run.
    #[must_use]
    pub fn task_status(&self, task: TaskId) -> Option<TaskStatus> {
        if let Some(leaf) = self.leaf(task) {
            return Some(leaf.status);
        }
        // Before there is a plan the root is all there is, and the planner is at it.
        let before_plan = || match self.status() {
            RunStatus::Cancelled => TaskStatus::Cancelled,
            RunStatus::Failed => TaskStatus::Failed,
            _ => TaskStatus::Active,
        };
        let is_root = task == self.run.task_id;
        self.tree.group_status(task).or_else(|| is_root.then(before_plan))
    }

    /// The commit a leaf's worktree started from, once it has one.
    #[must_use]
    pub fn leaf_base(&self, task: TaskId) -> Option<&str> {
        let place = self.tree.leaf_of(task)?;
        self.leaves[place as usize].base.as_deref()
    }

    /// The place of a leaf in the plan, from 0.
    #[must_use]
    pub fn position(&self, task: TaskId) -> Option<u32> {
        self.tree.leaf_of(task)
    }

    /// The project's own checks.
    #[must_use]
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// The commits on the integration branch, oldest first.
    #[must_use]
    pub fn commits(&self) -> &[String] {
        self.merges.commits()
    }

    /// The commit the integration branch stands at, once the run is open.
    #[must_use]
    pub fn integration_head(&self) -> Option<&str> {
        self.commits().last().or(self.run.base.as_ref()).map(String::as_str)
    }

    /// The actions that were handed out and owe their outcome, by key.
    pub fn in_flight(&self) -> btree_map::Values<'_, ActionKey, Action> {
        self.desk.in_flight.values()
    }

    /// Whether an action in flight was stopped by the ending of the run, and only owes its
    /// outcome.
    #[must_use]
    pub const fn is_stopped(&self, action: &Action) -> bool {
        self.ending.is_some() && action.step.can_be_stopped()
    }

    /// The run as clients see it, leaves and all. Copies every leaf: for a client that
    /// asks, not for every command.
    #[must_use]
    pub fn view(&self) -> Run {
        let mut run = self.run.clone();
        run.leaves = self.leaves().cloned().collect();
        run
    }

    /// The leaf a task is, as clients see it.
    #[must_use]
    pub fn leaf_view(&self, task: TaskId) -> Option<Leaf> {
        self.leaf(task).cloned()
    }
}
