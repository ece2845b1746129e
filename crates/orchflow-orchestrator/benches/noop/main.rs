//! Tasks that do nothing, through everything that stands around the doing: the machine, the
//! journal, views, actions and events, with full durability. Beside it, in the same run, a
//! bare SQLite loop that writes the same rows (see `bare`).
//!
//! `cargo bench -p orchflow-orchestrator --bench noop [-- TASKS…]` prints one JSON line for
//! each number of tasks. Counted is from the first task's beginning to the end of the run;
//! the writing of the plan comes before and is told apart, on both sides.

mod bare;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use futures::FutureExt;
use futures::future::BoxFuture;
use orchflow_client::{Endpoint, Payload, in_process};
use orchflow_orchestrator::{Configuration, Error, Orchestrator, Perform, ProjectSettings, runs};
use orchflow_protocol::run::{Choices, RunParams, StartParams};
use orchflow_protocol::trust::{self, TrustFile};
use orchflow_runtime::clock::Stopwatch;
use orchflow_runtime::{CancellationToken, Clock, Supervisor, TaskKind};
use orchflow_store::Store;
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::project::Project;
use orchflow_types::run::{GateResult, RunStatus};
use orchflow_types::{AgentType, ErrorKind};
use orchflow_workflow::{Action, Command, Outcome};
use serde_json::json;

const IN_FLIGHT: u32 = 256;

/// Does nothing, and notes when it was asked first.
#[derive(Default)]
struct Nothing(OnceLock<First>);

/// What was known when the first task began.
struct First {
    watch: Stopwatch,
    /// Bytes of an action as it is stored.
    action: usize,
}

impl Perform for Nothing {
    fn perform(&self, action: Action, _: CancellationToken) -> BoxFuture<'static, Option<Command>> {
        self.0.get_or_init(|| First {
            watch: Stopwatch::start(),
            action: serde_json::to_string(&action).expect("plain data").len(),
        });
        let gate = GateResult {
            name: "noop".into(),
            argv: vec!["true".into()],
            exit_code: 0,
            duration_ms: 0,
            pane_id: None,
            tests: None,
            tail: String::new(),
        };
        let outcome = Outcome::Executed {
            pane: None,
            changed: false,
            summary: String::new(),
            gate: Some(gate),
        };
        async move { Some(Command::Done { key: action.key, epoch: action.epoch, outcome }) }.boxed()
    }
}

struct Defaults;

impl Configuration for Defaults {
    fn for_project(&self, _: &Path, _: &[TrustFile]) -> Result<ProjectSettings, Error> {
        Ok(ProjectSettings::default())
    }
}

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 5_000, 20_000] } else { sizes };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("the system gives threads");
    for size in sizes {
        let ours = runtime.block_on(through_orchflow(size));
        let bare = bare::run(size, IN_FLIGHT as usize, ours.tasks_per_commit, &ours.sizes);
        let line = json!({
            "tasks": size,
            "tasks_per_s": size as f64 / ours.seconds,
            "us_per_task": ours.seconds * 1e6 / size as f64,
            "plan_s": ours.plan_seconds,
            "tasks_per_fsync": ours.tasks_per_commit,
            "bare_tasks_per_s": size as f64 / bare.seconds,
            "bare_plan_s": bare.plan_seconds,
            "ratio_to_bare": bare.seconds / ours.seconds,
        });
        println(&line.to_string());
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark tells its result on stdout")]
fn println(line: &str) {
    println!("{line}");
}

struct Measured {
    /// From the start of the run to its first task.
    plan_seconds: f64,
    /// From its first task to its end.
    seconds: f64,
    tasks_per_commit: f64,
    sizes: bare::Sizes,
}

async fn through_orchflow(size: usize) -> Measured {
    let dir = tempfile::tempdir().expect("a folder");
    let (clock, supervisor) = (Clock::system(), Supervisor::new());
    let path = dir.path().join("state.db");
    let (store, _) = Store::open(&path, clock.now()).expect("a database");
    let (client, endpoint) = in_process();
    supervisor.spawn(TaskKind::Background, "manager", answer(endpoint));
    let nothing = Arc::new(Nothing::default());
    let orchestrator =
        Orchestrator::new(store.clone(), client, clock, supervisor, Arc::new(Defaults))
            .performed_by(nothing.clone());
    let params = StartParams {
        goal: "do nothing, often".into(),
        dir: "/".into(),
        choices: Choices {
            max_concurrency: Some(IN_FLIGHT),
            minutes: Some(0),
            ..Choices::default()
        },
        plan: Some(plan(size)),
    };
    let mut bell = store.bell();
    let started = runs::start(orchestrator.clone(), params).await.expect("a run");
    let (watch, before) = (Stopwatch::start(), store.stats());
    let mut status = None;
    while !status.is_some_and(RunStatus::is_final) {
        bell.changed().await.expect("a store");
        let run_id = started.run_id;
        status = store
            .read(move |reader| orchflow_store::runs::status(reader, run_id))
            .await
            .expect("a status");
    }
    let (all, after) = (watch.elapsed().as_secs_f64(), store.stats());
    let first = nothing.0.get().expect("a run that has ended had a first task");
    let seconds = first.watch.elapsed().as_secs_f64();
    let run = runs::get(orchestrator, RunParams { run_id: started.run_id }).await.expect("the run");
    assert_eq!(run.status, RunStatus::Succeeded, "{:?}", run.reason);
    Measured {
        plan_seconds: all - seconds,
        seconds,
        tasks_per_commit: size as f64 / (after.commits - before.commits) as f64,
        sizes: bare::Sizes::of(&path, first.action),
    }
}

fn plan(size: usize) -> Plan {
    let task = |number: usize| PlanTask {
        agent_type: AgentType::Test,
        command: vec!["true".into()],
        writes: false,
        ..PlanTask::new(format!("noop-{number}"), format!("Do nothing, {number}"))
    };
    Plan::new("do nothing, often", (0..size).map(task).collect())
}

/// The few things a run asks of a manager before it begins.
async fn answer(mut endpoint: Endpoint) -> Result<(), Error> {
    while let Some(call) = endpoint.next().await {
        let dir = "/".to_owned();
        let reply: Result<Payload, orchflow_client::Error> = match call.method.as_str() {
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
            _ => Err(orchflow_client::Error::new(ErrorKind::NoRepository, "no repository")),
        };
        let _ = call.reply.send(reply);
    }
    Ok(())
}
