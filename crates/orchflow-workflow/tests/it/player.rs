//! Plays a run: keeps the journal, checks what every command must keep true, and answers
//! actions as a test wants them answered.

use std::collections::{BTreeMap, BTreeSet};

use orchflow_types::event::NewEvent;
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::run::{
    Audit, Finding, Gate, GateResult, Landing, Leaf, RunOptions, RunStatus, Severity, Verdict,
};
use orchflow_types::task::TaskStatus;
use orchflow_types::{AgentType, EventType, Role, TaskId, Timestamp};
use orchflow_workflow::{
    Action, Command, Effects, Failure, NodeSpec, Onto, Outcome, Refused, Spec, State, Step, apply,
    create,
};

pub(crate) fn task(n: u32) -> TaskId {
    format!("task_{n:032x}").parse().unwrap()
}

/// Leaf `n`, with the key `tN`.
pub(crate) fn leaf(n: u32, writes: bool, depends: &[u32]) -> NodeSpec {
    NodeSpec {
        task_id: task(n),
        parent: None,
        plan: PlanTask {
            agent_type: if writes { AgentType::Dev } else { AgentType::Test },
            command: if writes { Vec::new() } else { vec!["true".to_owned()] },
            writes,
            depends: depends.iter().map(|n| format!("t{n}")).collect(),
            ..PlanTask::new(format!("t{n}"), format!("Task {n}"))
        },
        depends: depends.iter().copied().map(task).collect(),
    }
}

/// `n` leaves that look, each depending on the one before it.
pub(crate) fn in_a_row(n: u32) -> Vec<NodeSpec> {
    let before: Vec<u32> = (0..n).collect();
    let depends = |n: u32| if n > 1 { &before[n as usize - 1..n as usize] } else { &[] };
    (1..=n).map(|n| leaf(n, false, depends(n))).collect()
}

pub(crate) fn below(parent: u32, node: NodeSpec) -> NodeSpec {
    NodeSpec { parent: Some(task(parent)), ..node }
}

pub(crate) fn plan(nodes: &[NodeSpec]) -> Plan {
    let parents: BTreeSet<_> = nodes.iter().filter_map(|node| node.parent).collect();
    let leaves = nodes.iter().filter(|node| !parents.contains(&node.task_id));
    Plan::new("goal", leaves.map(|node| node.plan.clone()).collect())
}

pub(crate) fn options() -> RunOptions {
    let chain = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    RunOptions {
        auto_approve: true,
        chains: BTreeMap::from([
            (Role::Executor, chain(&["ann", "bob"])),
            (Role::Auditor, chain(&["ann", "bob", "cid"])),
        ]),
        ..RunOptions::default()
    }
}

pub(crate) fn gate(name: &str) -> Gate {
    Gate {
        name: name.to_owned(),
        argv: vec![name.to_owned()],
        dir: String::new(),
        framework: String::new(),
    }
}

pub(crate) fn spec(options: RunOptions) -> Spec {
    Spec {
        run_id: "run_00000000000000000000000000000001".parse().unwrap(),
        root: task(0),
        goal: "goal".to_owned(),
        project: "/project".to_owned(),
        options,
        gates: vec![gate("build"), gate("test")],
        epoch: 1,
    }
}

pub(crate) fn said(name: &str, exit_code: i32) -> GateResult {
    GateResult {
        name: name.to_owned(),
        argv: vec![name.to_owned()],
        exit_code,
        duration_ms: 1,
        pane_id: None,
        tests: None,
        tail: String::new(),
    }
}

pub(crate) fn executed(changed: bool) -> Outcome {
    Outcome::Executed { pane: None, changed, summary: String::new(), gate: None }
}

pub(crate) fn failed(failure: Failure) -> Outcome {
    Outcome::Failed { failure, reason: "for a reason".to_owned() }
}

pub(crate) fn needs_work() -> Outcome {
    let finding = Finding {
        severity: Severity::Error,
        file: None,
        line: None,
        message: "off by one".to_owned(),
        suggestion: None,
    };
    Outcome::Audited(Audit { verdict: Verdict::NeedsWork, findings: vec![finding] })
}

/// How an action ends when all goes well.
pub(crate) fn well(action: &Action) -> Outcome {
    let text = |what: &str| format!("{what}-of-{}", action.key);
    match &action.step {
        Step::Plan | Step::AskApproval => unreachable!("answered by commands of their own"),
        Step::OpenRun => Outcome::Opened {
            base: text("base"),
            branch: "orchflow/run".to_owned(),
            onto: Some(Onto { branch: Some("main".to_owned()), tip: text("tip") }),
        },
        Step::AwaitRoom { .. } => Outcome::Waited,
        Step::PrepareLeaf => Outcome::Prepared { worktree: text("worktree"), base: text("base") },
        Step::Execute { agent: None, .. } => Outcome::Executed {
            pane: None,
            changed: false,
            summary: String::new(),
            gate: Some(said("command", 0)),
        },
        Step::Execute { .. } => executed(true),
        Step::Gate { gate, .. } => Outcome::Gated(said(&gate.name, 0)),
        Step::Audit { .. } => {
            Outcome::Audited(Audit { verdict: Verdict::Approved, findings: Vec::new() })
        }
        Step::Commit => Outcome::Committed { commit: Some(text("commit")) },
        Step::Merge => Outcome::Merged { commit: text("merge") },
        Step::Land => Outcome::Landed(Landing {
            merged: true,
            reason: None,
            command: None,
            branch: "main".to_owned(),
            commits: Vec::new(),
        }),
        Step::Clean => Outcome::Cleaned { saved_ref: None },
    }
}

/// A run being played.
pub(crate) struct Player {
    pub(crate) state: State,
    pub(crate) journal: Vec<(Timestamp, Command)>,
    pub(crate) events: Vec<NewEvent>,
    /// Keys with epochs, as handed out.
    handed: BTreeSet<(String, u64)>,
    clock: i64,
}

impl Player {
    /// A run that was asked for and waits for its plan.
    pub(crate) fn asked(spec: Spec) -> Self {
        let at = Timestamp::from_millis(0);
        let journal = vec![(at, Command::Create(spec.clone()))];
        let (state, effects) = create(at, spec);
        let mut player =
            Self { state, journal, events: Vec::new(), handed: BTreeSet::new(), clock: 0 };
        player.keep(&effects);
        player
    }

    /// A run with its plan made.
    pub(crate) fn planned(options: RunOptions, nodes: &[NodeSpec]) -> Self {
        let mut player = Self::asked(spec(options));
        player.plan(nodes);
        player
    }

    pub(crate) fn plan(&mut self, nodes: &[NodeSpec]) -> Effects {
        self.say(Command::Planned { plan: plan(nodes), nodes: nodes.to_vec() })
    }

    /// Lets time pass before the next thing is said.
    pub(crate) const fn wait(&mut self, millis: i64) {
        self.clock += millis;
    }

    pub(crate) const fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock)
    }

    /// Says a command that must be taken.
    pub(crate) fn say(&mut self, command: Command) -> Effects {
        let effects = self.try_say(command.clone());
        effects.unwrap_or_else(|refused| panic!("{command:?}: {refused}"))
    }

    pub(crate) fn try_say(&mut self, command: Command) -> Result<Effects, Refused> {
        self.clock += 1000;
        let at = Timestamp::from_millis(self.clock);
        let before = self.state.clone();
        match apply(&mut self.state, at, command.clone()) {
            Ok(effects) => {
                self.journal.push((at, command));
                self.keep(&effects);
                self.check(&before, &effects);
                Ok(effects)
            }
            Err(refused) => {
                assert_eq!(self.state, before, "a refusal changes nothing");
                Err(refused)
            }
        }
    }

    /// Answers an action.
    pub(crate) fn done(&mut self, action: &Action, outcome: Outcome) -> Effects {
        self.say(Command::Done { key: action.key.clone(), epoch: action.epoch, outcome })
    }

    /// The only action in flight of leaf `n`, which must be there.
    pub(crate) fn of(&self, n: u32) -> Action {
        let mut found = self.state.in_flight().filter(|action| action.task == Some(task(n)));
        found.next().unwrap_or_else(|| panic!("no t{n} in {:?}", self.steps())).clone()
    }

    /// The only action in flight of the step, which must be there.
    pub(crate) fn in_flight(&self, step: &str) -> Action {
        let mut found = self.state.in_flight().filter(|action| action.step.name() == step);
        let action = found.next().unwrap_or_else(|| panic!("no {step} in {:?}", self.steps()));
        assert!(found.next().is_none(), "more than one {step}: {:?}", self.steps());
        action.clone()
    }

    /// An action in flight of the step, if there is one.
    pub(crate) fn in_flight_step(&self, step: &str) -> Option<Action> {
        self.state.in_flight().find(|action| action.step.name() == step).cloned()
    }

    /// What a command would do here.
    pub(crate) fn clone_and_say(&self, command: Command) -> Effects {
        apply(&mut self.state.clone(), self.now(), command).unwrap()
    }

    /// Answers the only action of the step.
    pub(crate) fn answer(&mut self, step: &str, outcome: Outcome) -> Effects {
        let action = self.in_flight(step);
        self.done(&action, outcome)
    }

    /// Answers each of these steps well, one after the other.
    pub(crate) fn go(&mut self, steps: &[&str]) {
        for step in steps {
            let action = self.in_flight(step);
            self.done(&action, well(&action));
        }
    }

    /// Answers everything well until nothing is in flight.
    pub(crate) fn finish(&mut self) -> RunStatus {
        self.finish_with(well)
    }

    pub(crate) fn finish_with(&mut self, mut outcome: impl FnMut(&Action) -> Outcome) -> RunStatus {
        while let Some(action) = self.state.in_flight().next().cloned() {
            let outcome = outcome(&action);
            self.done(&action, outcome);
        }
        self.state.status()
    }

    /// The steps in flight as `tN step` or `run step`, in the order of their keys.
    pub(crate) fn steps(&self) -> Vec<String> {
        let name = |action: &Action| match action.task {
            Some(task) => {
                format!("{} {}", self.state.leaf(task).unwrap().plan.key, action.step.name())
            }
            None => format!("run {}", action.step.name()),
        };
        self.state.in_flight().map(name).collect()
    }

    pub(crate) fn leaf(&self, n: u32) -> &Leaf {
        self.state.leaf(task(n)).unwrap()
    }

    pub(crate) fn status(&self, n: u32) -> TaskStatus {
        self.state.task_status(task(n)).unwrap()
    }

    pub(crate) fn reason(&self, n: u32) -> &str {
        self.leaf(n).reason.as_deref().unwrap_or_default()
    }

    /// What the last event of a type said.
    pub(crate) fn told(&self, kind: EventType) -> &serde_json::Value {
        &self.events.iter().rev().find(|event| event.kind == kind).unwrap().data
    }

    fn keep(&mut self, effects: &Effects) {
        for action in &effects.actions {
            let is_new = self.handed.insert((action.key.to_string(), action.epoch));
            assert!(is_new, "{} was handed out twice", action.key);
            assert_eq!(action.epoch, self.state.epoch());
        }
        self.events.extend(effects.events.iter().cloned());
    }

    /// What every command keeps true.
    fn check(&self, before: &State, effects: &Effects) {
        let after = &self.state;
        let options = &after.run().options;
        let active = || after.leaves().filter(|leaf| leaf.status == TaskStatus::Active);
        assert!(active().count() <= options.max_concurrency as usize, "slots are exceeded");
        if options.mode == orchflow_types::run::RunMode::Sequential {
            assert!(active().filter(|leaf| leaf.plan.writes).count() <= 1, "two leaves write");
        }
        let merges = after.in_flight().filter(|action| action.step == Step::Merge).count();
        assert!(merges <= 1, "two merges at once");
        let busy: Vec<_> = after.in_flight().filter_map(|action| action.task).collect();
        assert_eq!(busy.iter().collect::<BTreeSet<_>>().len(), busy.len(), "a leaf in two steps");

        for leaf in after.leaves() {
            let was = before.leaf(leaf.task_id);
            if was != Some(leaf) {
                assert!(effects.touched.contains(&leaf.task_id), "{} is untold", leaf.plan.key);
            }
            if let Some(was) = was.filter(|was| was.status.is_final()) {
                assert_eq!(was, leaf, "a final leaf changed");
            }
        }
        let root = after.run().task_id;
        if before.task_status(root) != after.task_status(root) && after.leaves().len() > 0 {
            assert!(effects.touched.contains(&root), "the root is untold");
        }
        assert!(effects.run_changed || before.run() == after.run(), "the run is untold");
        let unique: BTreeSet<_> = effects.touched.iter().collect();
        assert_eq!(unique.len(), effects.touched.len(), "told twice");

        let finished = |event: &&NewEvent| event.kind == EventType::RunFinished;
        let ends = self.events.iter().filter(finished).count();
        assert_eq!(ends, usize::from(after.status().is_final()), "a run ends exactly once");
        if after.status().is_final() {
            assert_eq!(after.in_flight().len(), 0, "work goes on after the end");
            assert!(self.events.last().is_some_and(|last| finished(&last)), "the end is last");
            assert!(after.leaves().all(|leaf| leaf.status.is_final()), "a leaf never ended");
        }
    }
}
