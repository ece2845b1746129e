//! An orchestrator whose manager is a script, and whose actions end when the test says so.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use orchflow_client::{Endpoint, Payload, in_process};
use orchflow_protocol::git;
use orchflow_protocol::run::{Choices, StartParams};
use orchflow_protocol::trust::{self, TrustFile};
use orchflow_runtime::{CancellationToken, Clock, Supervisor, TaskKind};
use orchflow_store::{Store, actions};
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::project::Project;
use orchflow_types::run::{GateResult, Run};
use orchflow_types::{AgentType, ErrorKind, RunId, Timestamp};
use orchflow_workflow::{Action, Command, Failure, Outcome, Step};
use tokio::sync::{mpsc, oneshot};

use crate::{Configuration, Error, Orchestrator, Perform, ProjectSettings};

/// An action that waits for the test to say what it came to.
pub(super) struct Waiting {
    pub(super) action: Action,
    /// Cancelled when the action should stop.
    pub(super) stop: CancellationToken,
    end: oneshot::Sender<Outcome>,
}

impl Waiting {
    pub(super) fn ends(self, outcome: Outcome) {
        let _ = self.end.send(outcome);
    }

    pub(super) fn ends_cancelled(self) {
        let reason = "it was stopped".to_owned();
        self.ends(Outcome::Failed { failure: Failure::Cancelled, reason });
    }
}

struct Held(mpsc::Sender<Waiting>);

impl Perform for Held {
    fn perform(
        &self,
        action: Action,
        stop: CancellationToken,
    ) -> BoxFuture<'static, Option<Command>> {
        assert!(action.step.name() != "prepare_leaf", "a fault of a performer on purpose");
        let (end, ended) = oneshot::channel();
        let (key, epoch) = (action.key.clone(), action.epoch);
        let _ = self.0.try_send(Waiting { action, stop, end }); // no test has so many at once
        async move { ended.await.ok().map(|outcome| Command::Done { key, epoch, outcome }) }.boxed()
    }
}

struct Defaults;

impl Configuration for Defaults {
    fn for_project(&self, _: &Path, _: &[TrustFile]) -> Result<ProjectSettings, Error> {
        Ok(ProjectSettings::default())
    }
}

/// What the manager was asked, and when it answers.
#[derive(Default)]
pub(super) struct Manager {
    pub(super) detected: AtomicUsize,
    /// How many detections have to wait for each other before any is answered.
    pub(super) together: AtomicUsize,
    waiting: Mutex<Vec<oneshot::Sender<Result<Payload, orchflow_client::Error>>>>,
}

pub(super) struct Bed {
    pub(super) cx: Orchestrator,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) manager: Arc<Manager>,
    actions: mpsc::Receiver<Waiting>,
    _dir: tempfile::TempDir,
}

impl Bed {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
        let supervisor = Supervisor::new();
        let (store, _) = Store::open(&dir.path().join("state.db"), clock.now()).unwrap();
        let (client, endpoint) = in_process();
        let manager = Arc::new(Manager::default());
        supervisor.spawn(TaskKind::Background, "manager", answer(endpoint, manager.clone()));
        let (held, actions) = mpsc::channel(16);
        let cx =
            Orchestrator::new(store.clone(), client, clock.clone(), supervisor, Arc::new(Defaults))
                .performed_by(Arc::new(Held(held)));
        Self { cx, store, clock, manager, actions, _dir: dir }
    }

    /// Starts a run of one task, which is approved when it `writes`.
    pub(super) async fn start(&self, writes: bool, auto_approve: bool) -> RunId {
        let choices =
            Choices { auto_approve: Some(auto_approve), minutes: Some(1), ..Choices::default() };
        let plan = Some(plan(writes));
        let params = StartParams { goal: "work".into(), dir: "/".into(), choices, plan };
        crate::runs::start(self.cx.clone(), params).await.unwrap().run_id
    }

    /// The next action that is performed.
    pub(super) async fn next(&mut self, step: &str) -> Waiting {
        let waiting = self.actions.recv().await.unwrap();
        assert_eq!(waiting.action.step.name(), step);
        waiting
    }

    /// Waits until a run has come to what is asked.
    pub(super) async fn until(&self, run_id: RunId, is_so: impl Fn(&Run) -> bool) -> Run {
        let mut bell = self.store.bell();
        loop {
            let run = crate::runs::fetch(&self.cx, run_id).await.unwrap();
            if is_so(&run) {
                return run;
            }
            bell.changed().await.unwrap();
        }
    }

    /// The steps that the database holds as pending.
    pub(super) async fn pending(&self, run_id: RunId) -> Vec<String> {
        let read = move |reader: &orchflow_store::Reader<'_>| actions::pending(reader, run_id);
        let pending = self.store.read(read).await.unwrap();
        let step = |action: actions::Action| {
            let action: Action = serde_json::from_str(&action.payload).unwrap();
            action.step.name().to_owned()
        };
        pending.into_iter().map(step).collect()
    }
}

/// How an action ends when all goes well.
pub(super) fn well(action: &Action) -> Outcome {
    match &action.step {
        Step::OpenRun => {
            Outcome::Opened { base: "base".into(), branch: "orchflow/run".into(), onto: None }
        }
        Step::Execute { .. } => {
            let gate = GateResult {
                name: "work".into(),
                argv: vec!["true".into()],
                exit_code: 0,
                duration_ms: 0,
                pane_id: None,
                tests: None,
                tail: String::new(),
            };
            let summary = String::new();
            Outcome::Executed { pane: None, changed: false, summary, gate: Some(gate) }
        }
        other => panic!("no test lets `{}` end well", other.name()),
    }
}

pub(super) fn plan(writes: bool) -> Plan {
    let task = PlanTask {
        key: "work".into(),
        title: "Work".into(),
        description: String::new(),
        agent_type: AgentType::Test,
        agent: None,
        command: vec!["true".into()],
        dir: String::new(),
        writes,
        files: Vec::new(),
        depends: Vec::new(),
        reason: String::new(),
    };
    Plan { goal: "work".into(), tasks: vec![task], notes: Vec::new(), by: None }
}

async fn answer(mut endpoint: Endpoint, manager: Arc<Manager>) -> Result<(), Error> {
    while let Some(call) = endpoint.next().await {
        if call.method != "project.detect" {
            let reply = reply(&call.method);
            let _ = call.reply.send(reply);
            continue;
        }
        manager.detected.fetch_add(1, Ordering::SeqCst);
        let mut waiting = manager.waiting.lock().unwrap();
        waiting.push(call.reply);
        if waiting.len() >= manager.together.load(Ordering::SeqCst) {
            for detected in waiting.drain(..) {
                let _ = detected.send(reply("project.detect"));
            }
        }
    }
    Ok(())
}

fn reply(method: &str) -> Result<Payload, orchflow_client::Error> {
    let dir = "/".to_owned();
    match method {
        "trust.get" => Ok(Payload::Typed(Box::new(trust::TrustResult {
            dir,
            trusted: false,
            hash: String::new(),
            files: Vec::new(),
            granted_at: None,
            changed: false,
        }))),
        "project.detect" => Ok(Payload::Typed(Box::new(Project {
            root: dir,
            ecosystems: Vec::new(),
            commands: Vec::new(),
        }))),
        "git.status" => Ok(Payload::Typed(Box::new(git::StatusResult {
            root: dir,
            head: "base".into(),
            branch: Some("main".into()),
            operation: None,
            dirty: Vec::new(),
        }))),
        other => Err(orchflow_client::Error::new(ErrorKind::NotFound, other)),
    }
}
