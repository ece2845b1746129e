//! Which agent is asked: the chains of the roles, and what to do when one gives up.

use orchflow_types::Role;
use orchflow_types::run::{LeafPhase, RunOptions, Verdict};
use orchflow_types::task::TaskStatus;

use crate::action::Step;
use crate::state::LeafState;
use crate::transition::Transition;

impl Transition<'_> {
    /// Lets the first worker of a role's chain begin: the work itself, or a round of fixing.
    pub(crate) fn start_work(&mut self, place: u32, role: Role) {
        let leaf = self.leaf(place);
        leaf.gave_up = 0;
        leaf.view.phase =
            if role == Role::Executor { LeafPhase::Executing } else { LeafPhase::Fixing };
        self.work(place, role, None);
    }

    /// A worker gave up: the next of its chain takes over.
    pub(crate) fn next_worker(&mut self, place: u32, role: Role, reason: &str) {
        let who = self.gave_up(place, reason);
        self.work(place, role, Some(who));
    }

    fn work(&mut self, place: u32, role: Role, last: Option<String>) {
        let leaf = &self.state.leaves[place as usize];
        let chain = workers(&self.state.run.options, leaf, role);
        let Some(agent) = chain.get(leaf.gave_up as usize).map(|agent| agent.map(str::to_owned))
        else {
            let reason = last.map_or_else(
                || format!("there is no {role} to ask: its chain is empty"),
                |last| format!("no {role} is left to ask; the last, {last}"),
            );
            return self.conclude(place, TaskStatus::Failed, Some(reason));
        };
        let leaf = self.leaf(place);
        let turn = leaf.turns;
        leaf.turns += 1;
        leaf.worker.clone_from(&agent);
        leaf.view.executor.clone_from(&agent);
        leaf.view.agent.clone_from(&agent);
        let refused = leaf.view.audit.iter().filter(|audit| audit.verdict == Verdict::NeedsWork);
        let step = Step::Execute {
            role,
            agent,
            turn,
            iteration: leaf.view.iteration,
            findings: refused.flat_map(|audit| audit.findings.clone()).collect(),
            red_gates: leaf.view.gates.iter().filter(|gate| !gate.green()).cloned().collect(),
        };
        self.issue(place, step);
    }

    /// Asks the first auditor who is not the one whose work it is. Without one it is gates
    /// only, unless an auditor was heard already: what was refused is not let pass unseen.
    pub(crate) fn start_audit(&mut self, place: u32) {
        self.leaf(place).gave_up = 0;
        let leaf = &self.state.leaves[place as usize];
        if !auditors(&self.state.run.options, leaf).is_empty() {
            self.leaf(place).view.phase = LeafPhase::Auditing;
            self.audit(place, None);
        } else if leaf.view.audit.is_none() {
            self.commit(place);
        } else {
            let reason = "an auditor refused it, and no other than the one who mended it is left \
                          to look again";
            self.conclude(place, TaskStatus::Failed, Some(reason.to_owned()));
        }
    }

    /// An auditor could not be heard: the next of the chain is asked.
    pub(crate) fn next_auditor(&mut self, place: u32, reason: &str) {
        let who = self.gave_up(place, reason);
        self.audit(place, Some(who));
    }

    fn audit(&mut self, place: u32, last: Option<String>) {
        let leaf = &self.state.leaves[place as usize];
        let chain = auditors(&self.state.run.options, leaf);
        match chain.get(leaf.gave_up as usize).map(|agent| (*agent).to_owned()) {
            Some(agent) => {
                let leaf = self.leaf(place);
                leaf.view.agent = Some(agent.clone());
                leaf.view.auditor = Some(agent.clone());
                let iteration = leaf.view.iteration;
                self.issue(place, Step::Audit { agent, iteration });
            }
            None => {
                // What cannot be read never approves.
                let last = last.map_or_else(String::new, |last| format!("; the last, {last}"));
                let reason = format!("no auditor could be heard{last}");
                self.conclude(place, TaskStatus::Failed, Some(reason));
            }
        }
    }

    /// Notes that the agent at work gave up; says so in words.
    fn gave_up(&mut self, place: u32, reason: &str) -> String {
        let leaf = self.leaf(place);
        leaf.gave_up += 1;
        let who = leaf.view.agent.as_deref().unwrap_or("its own command");
        let words = format!("{who} gave up: {reason}");
        leaf.view.notes.push(words.clone());
        words
    }
}

/// Who may work on a leaf, in order; none is the leaf's own command.
fn workers<'a>(options: &'a RunOptions, leaf: &'a LeafState, role: Role) -> Vec<Option<&'a str>> {
    let plan = &leaf.view.plan;
    let consultants = chain(options, Role::Consultant);
    if role == Role::Consultant && !consultants.is_empty() {
        return consultants.iter().map(|agent| Some(agent.as_str())).collect();
    }
    if role == Role::Executor && !plan.command.is_empty() {
        return vec![plan.agent.as_deref()];
    }
    let wished = plan.agent.as_ref();
    let others = chain(options, Role::Executor).iter().filter(|agent| Some(*agent) != wished);
    wished.into_iter().chain(others).map(|agent| Some(agent.as_str())).collect()
}

/// Who may review a leaf, in order: never the one whose work it is.
fn auditors<'a>(options: &'a RunOptions, leaf: &LeafState) -> Vec<&'a str> {
    let others = chain(options, Role::Auditor).iter().map(String::as_str);
    others.filter(|agent| Some(*agent) != leaf.worker.as_deref()).collect()
}

fn chain(options: &RunOptions, role: Role) -> &[String] {
    options.chains.get(&role).map_or(&[], Vec::as_slice)
}
