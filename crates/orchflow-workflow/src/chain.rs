//! The way of one leaf: prepare, execute, gates, audit, fix, commit, merge, clean.
//!
//! A leaf has at most one action in flight. Whether the run is paused or ending is not
//! known here: [`Transition::issue`] sees to both.

use orchflow_types::Role;
use orchflow_types::run::{Audit, Finding, GateResult, LeafPhase, Refusal, Verdict};
use orchflow_types::task::TaskStatus;

use crate::action::{Failure, Outcome, Step};
use crate::state::{Ending, Held};
use crate::transition::Transition;

impl Transition<'_> {
    /// A leaf has its slot: its way begins.
    pub(crate) fn begin_leaf(&mut self, place: u32) {
        let leaf = self.leaf(place);
        leaf.view.status = TaskStatus::Active;
        let (node, writes) = (leaf.node, leaf.view.plan.writes);
        self.touched.extend(self.state.tree.begin(node));
        if writes {
            self.leaf(place).view.phase = LeafPhase::Preparing;
            self.issue(place, Step::PrepareLeaf);
        } else {
            self.start_work(place, Role::Executor);
        }
    }

    /// A step of a leaf was performed, or could not be.
    pub(crate) fn leaf_step_done(&mut self, place: u32, step: Step, outcome: Outcome) {
        self.leaf(place).busy = false;
        match (step, outcome) {
            (step, Outcome::Failed { failure, reason }) => {
                self.leaf_step_failed(place, step, failure, reason);
            }
            (_, Outcome::Prepared { worktree, base }) => {
                let leaf = self.leaf(place);
                leaf.view.worktree = Some(worktree);
                leaf.base = Some(base);
                self.start_work(place, Role::Executor);
            }
            (Step::Execute { role, .. }, Outcome::Executed { pane, changed, summary, gate }) => {
                let leaf = self.leaf(place);
                leaf.view.pane_id = pane.or(leaf.view.pane_id);
                if !summary.is_empty() {
                    leaf.view.notes.push(summary);
                }
                self.executed(place, role, changed, gate);
            }
            (Step::Gate { index, .. }, Outcome::Gated(result)) => self.gated(place, index, result),
            (_, Outcome::Audited(audit)) => self.audited(place, audit),
            (_, Outcome::Committed { commit: Some(_) }) => self.join_merge_queue(place),
            (_, Outcome::Committed { commit: None }) => {
                self.note(place, "there was nothing to commit".to_owned());
                self.conclude(place, TaskStatus::Completed, None);
            }
            (_, Outcome::Cleaned { saved_ref }) => self.cleaned(place, saved_ref),
            (_, merge) => self.merge_came_to(place, merge),
        }
    }

    /// A worker came to its end by itself. What it proves is asked of the gates, but for
    /// leaves a tool runs: there the exit code is the truth.
    fn executed(&mut self, place: u32, role: Role, changed: bool, gate: Option<GateResult>) {
        let leaf = self.leaf(place);
        let writes = leaf.view.plan.writes;
        if let Some(gate) = gate {
            let red = (!gate.green()).then(|| exit_of(&gate));
            leaf.view.gates = vec![gate];
            if red.is_some() {
                return self.conclude(place, TaskStatus::Failed, red);
            }
        }
        if !writes {
            self.conclude(place, TaskStatus::Completed, None);
        } else if role == Role::Executor && !changed {
            self.note(place, "it changed nothing".to_owned());
            self.conclude(place, TaskStatus::Completed, None);
        } else {
            let leaf = self.leaf(place);
            leaf.view.phase = LeafPhase::Gating;
            leaf.view.gates.clear();
            self.gate(place, 0);
        }
    }

    fn gate(&mut self, place: u32, index: u32) {
        match self.state.gates.get(index as usize).cloned() {
            Some(gate) => self.issue(place, Step::Gate { gate, index }),
            None => self.start_audit(place),
        }
    }

    fn gated(&mut self, place: u32, index: u32, result: GateResult) {
        let green = result.green();
        self.leaf(place).view.gates.push(result);
        if green {
            self.gate(place, index + 1);
        } else {
            self.fix(place);
        }
    }

    fn audited(&mut self, place: u32, audit: Audit) {
        let verdict = audit.verdict;
        let view = &mut self.leaf(place).view;
        if verdict == Verdict::NeedsWork {
            view.refused.push(Refusal {
                iteration: view.iteration,
                auditor: view.auditor.clone(),
                findings: audit.findings.clone(),
            });
        }
        view.audit = Some(audit);
        match verdict {
            Verdict::Approved => self.commit(place),
            Verdict::NeedsWork => self.fix(place),
        }
    }

    pub(crate) fn commit(&mut self, place: u32) {
        self.leaf(place).view.phase = LeafPhase::Committing;
        self.issue(place, Step::Commit);
    }

    /// Another round, if there is one left, for what a gate or the auditor found.
    fn fix(&mut self, place: u32) {
        let rounds = self.state.run.options.max_iterations;
        let leaf = self.leaf(place);
        if leaf.view.iteration < rounds {
            leaf.view.iteration += 1;
            return self.start_work(place, Role::Consultant);
        }
        let red = leaf.view.gates.iter().find(|gate| !gate.green());
        let found = match (red, &leaf.view.audit) {
            (Some(gate), _) => exit_of(gate),
            (None, Some(audit)) => format!("the auditor refuses it: {}", gist(&audit.findings)),
            (None, None) => unreachable!("only a red gate or an audit asks for a fix"),
        };
        let reason = format!("{found} (after {rounds} rounds of fixing)");
        self.conclude(place, TaskStatus::Failed, Some(reason));
    }

    fn leaf_step_failed(&mut self, place: u32, step: Step, failure: Failure, reason: String) {
        let ending = self.state.ending.is_some();
        match (failure, step) {
            (Failure::NoRoom, step) if !ending => {
                self.no_room(Held { leaf: Some(place), step }, reason);
            }
            (_, Step::Clean) => {
                self.note(place, format!("its worktree could not be cleaned: {reason}"));
                self.cleaned(place, None);
            }
            _ if ending => self.conclude_by_ending(place),
            (Failure::Cancelled, _) => {
                self.conclude(place, TaskStatus::Cancelled, Some(reason));
            }
            (Failure::Agent | Failure::TimedOut, Step::Execute { role, .. }) => {
                self.next_worker(place, role, &reason);
            }
            (Failure::Agent | Failure::TimedOut, Step::Audit { .. }) => {
                self.next_auditor(place, &reason);
            }
            _ => self.conclude(place, TaskStatus::Failed, Some(reason)),
        }
    }

    /// How the leaf ends is settled; its worktree, if it has one, is cleaned before it does.
    pub(crate) fn conclude(&mut self, place: u32, status: TaskStatus, reason: Option<String>) {
        let leaf = self.leaf(place);
        leaf.view.reason = reason;
        if leaf.view.worktree.is_some() {
            leaf.verdict = Some(status);
            self.issue(place, Step::Clean);
        } else {
            self.settle(place, status);
        }
        self.leave_merge_queue(place);
    }

    pub(crate) fn conclude_by_ending(&mut self, place: u32) {
        let (status, reason) = match &self.state.ending {
            Some(Ending::Cancelled { reason }) => (TaskStatus::Cancelled, reason.clone()),
            Some(Ending::Failed { reason, .. }) => (TaskStatus::Failed, reason.clone()),
            None => unreachable!("asked only of a run that is ending"),
        };
        self.conclude(place, status, Some(reason));
    }

    fn cleaned(&mut self, place: u32, saved_ref: Option<String>) {
        if let Some(saved) = saved_ref {
            self.note(place, format!("what it had not committed is kept in {saved}"));
        }
        let verdict = self.leaf(place).verdict.take();
        self.settle(place, verdict.expect("a leaf is cleaned only once its end is settled"));
    }
}

fn exit_of(gate: &GateResult) -> String {
    format!("`{}` is red: it exited with {}", gate.name, gate.exit_code)
}

/// The worst finding, in one line.
fn gist(findings: &[Finding]) -> String {
    // The first of the worst, so that the auditor's own order counts.
    let worst = findings.iter().rev().max_by_key(|finding| finding.severity);
    worst.map_or_else(|| "without a word why".to_owned(), |finding| finding.message.clone())
}
