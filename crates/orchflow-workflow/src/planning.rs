//! From the goal to leaves at work: the plan, its approval, and opening the run.

use orchflow_types::ErrorKind;
use orchflow_types::plan::Plan;
use orchflow_types::run::Leaf;

use crate::action::{Failure, Outcome, Step};
use crate::refused::Refused;
use crate::spec::NodeSpec;
use crate::state::{Ending, Held, LeafState, Phase};
use crate::transition::Transition;
use crate::tree::Tree;

impl Transition<'_> {
    pub(crate) fn begin_run(&mut self) {
        self.tell_started();
        self.effects.run_changed = true;
        self.issue_for_run(Step::Plan);
    }

    pub(crate) fn planned(&mut self, plan: Plan, nodes: Vec<NodeSpec>) -> Result<(), Refused> {
        if self.state.ending.is_some() {
            self.answered(&Step::Plan, "planned");
            return Ok(());
        }
        let tree = Tree::build(self.state.run.task_id, &nodes)?;
        self.answered(&Step::Plan, "planned");
        let plan_is_by_rules = plan.by.is_none();
        self.lay(plan, tree, nodes);
        // Nobody has seen the commands of an architect yet, not even those that only look.
        if self.state.run.options.auto_approve || !self.writes() && plan_is_by_rules {
            self.start();
        } else {
            self.state.phase = Phase::AwaitingApproval;
            self.issue_for_run(Step::AskApproval);
        }
        Ok(())
    }

    pub(crate) fn plan_failed(&mut self, kind: ErrorKind, reason: String) {
        self.answered(&Step::Plan, "failed");
        if self.state.ending.is_none() {
            self.end(Ending::Failed { kind, reason });
        }
    }

    pub(crate) fn approved(
        &mut self,
        edited: Option<(Plan, Vec<NodeSpec>)>,
    ) -> Result<(), Refused> {
        let edited = match edited {
            None => None,
            Some((plan, nodes)) => {
                let tree = Tree::build(self.state.run.task_id, &nodes)?;
                Some((plan, tree, nodes))
            }
        };
        self.answered(&Step::AskApproval, "approved");
        if let Some((plan, tree, nodes)) = edited {
            self.lay(plan, tree, nodes);
        }
        self.start();
        Ok(())
    }

    pub(crate) fn rejected(&mut self, reason: String) {
        self.answered(&Step::AskApproval, "rejected");
        self.end(Ending::Cancelled { reason });
    }

    pub(crate) fn opening_came_to(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Opened { base, branch, onto } => {
                self.state.run.base = Some(base);
                self.state.branch = Some(branch);
                self.state.onto = onto;
                self.effects.run_changed = true;
                if self.state.ending.is_none() {
                    self.work_begins();
                }
            }
            Outcome::Failed { failure, reason } => {
                self.run_step_failed(Step::OpenRun, failure, reason);
            }
            other => unreachable!("admission lets no `{}` answer an opening", other.name()),
        }
    }

    /// A step before any leaf began could not be done: the run ends with it.
    pub(crate) fn run_step_failed(&mut self, step: Step, failure: Failure, reason: String) {
        let kind = match failure {
            _ if self.state.ending.is_some() => return,
            Failure::NoRoom => return self.no_room(Held { leaf: None, step }, reason),
            Failure::Cancelled => return self.end(Ending::Cancelled { reason }),
            Failure::Agent => ErrorKind::NoAgent,
            Failure::TimedOut => ErrorKind::Timeout,
            Failure::Denied => ErrorKind::PolicyDenied,
            Failure::Environment => ErrorKind::RunNotGreen,
        };
        self.end(Ending::Failed { kind, reason });
    }

    /// A question to a planner or a person has its answer: it is in flight no longer, nor
    /// held until there is room to ask it.
    fn answered(&mut self, question: &Step, answer: &'static str) {
        self.state.desk.held.retain(|held| held.step != *question);
        let in_flight = &mut self.state.desk.in_flight;
        let key = in_flight.values().find(|action| action.step == *question);
        if let Some(action) =
            key.map(|action| action.key.clone()).and_then(|key| in_flight.remove(&key))
        {
            if *question == Step::AskApproval {
                // Whoever asked need not wait any longer: the answer may have come another way.
                self.effects.stop.push(action.key.clone());
            }
            self.tell_checkpoint(&action, answer);
            self.effects.settled.push(action.key);
        }
    }

    /// Takes a plan and its tree as the run's own, in place of one it had.
    fn lay(&mut self, plan: Plan, tree: Tree, nodes: Vec<NodeSpec>) {
        self.state.run.plan = Some(plan);
        self.state.leaves = nodes
            .into_iter()
            .filter(|node| tree.leaf_of(node.task_id).is_some())
            .map(|node| LeafState::new(&tree, node))
            .collect();
        self.state.tree = tree;
        self.tree_is_new = true;
        self.effects.run_changed = true;
    }

    fn writes(&self) -> bool {
        self.state.leaves.iter().any(|leaf| leaf.view.plan.writes)
    }

    fn start(&mut self) {
        if self.writes() {
            self.state.phase = Phase::Opening;
            self.issue_for_run(Step::OpenRun);
        } else {
            self.work_begins();
        }
    }

    fn work_begins(&mut self) {
        self.state.phase = Phase::Working;
        let ready = self.state.tree.open();
        self.queue(ready);
        self.fill_slots();
    }
}

impl LeafState {
    fn new(tree: &Tree, node: NodeSpec) -> Self {
        Self {
            node: tree.place_of(node.task_id),
            view: Leaf::new(node.task_id, node.plan),
            issued: 0,
            turns: 0,
            gave_up: 0,
            worker: None,
            base: None,
            busy: false,
            verdict: None,
        }
    }
}
