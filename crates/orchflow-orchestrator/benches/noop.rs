//! Tasks that do nothing, through everything that stands around the doing: the machine, the
//! journal, views, actions and events, with full durability. Beside it, in the same run, a
//! bare SQLite loop that writes the same rows in batches of the same size.
//!
//! `cargo bench -p orchflow-orchestrator --bench noop [-- TASKS…]` prints one JSON line each.

use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use orchflow_client::{Endpoint, Payload, in_process};
use orchflow_orchestrator::{Configuration, Error, Orchestrator, Perform, ProjectSettings, runs};
use orchflow_protocol::run::{Choices, RunParams, StartParams};
use orchflow_protocol::trust;
use orchflow_runtime::clock::Stopwatch;
use orchflow_runtime::{Clock, Supervisor, TaskKind};
use orchflow_store::Store;
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::project::Project;
use orchflow_types::run::{GateResult, RunStatus};
use orchflow_types::{AgentType, ErrorKind};
use orchflow_workflow::{Action, Command, Outcome};
use serde_json::json;

const IN_FLIGHT: u32 = 256;

struct Nothing;

impl Perform for Nothing {
    fn perform(&self, action: Action) -> BoxFuture<'static, Option<Command>> {
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
    fn for_project(&self, _: &Path, _: bool) -> Result<ProjectSettings, Error> {
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
        let bare = bare_loop(size, ours.tasks_per_commit);
        let line = json!({
            "tasks": size,
            "tasks_per_s": size as f64 / ours.seconds,
            "us_per_task": ours.seconds * 1e6 / size as f64,
            "tasks_per_fsync": ours.tasks_per_commit,
            "bare_tasks_per_s": size as f64 / bare,
            "ratio_to_bare": bare / ours.seconds,
        });
        println(&line.to_string());
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark tells its result on stdout")]
fn println(line: &str) {
    println!("{line}");
}

struct Measured {
    seconds: f64,
    tasks_per_commit: f64,
}

async fn through_orchflow(size: usize) -> Measured {
    let dir = tempfile::tempdir().expect("a folder");
    let (clock, supervisor) = (Clock::system(), Supervisor::new());
    let (store, _) = Store::open(&dir.path().join("state.db"), clock.now()).expect("a database");
    let (client, endpoint) = in_process();
    supervisor.spawn(TaskKind::Background, "manager", answer(endpoint));
    let orchestrator =
        Orchestrator::new(store.clone(), client, clock, supervisor, Arc::new(Defaults))
            .performed_by(Arc::new(Nothing));
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
    // Counted from the first task, not from the writing of the plan.
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
    let seconds = watch.elapsed().as_secs_f64();
    let after = store.stats();
    let run = runs::get(orchestrator, RunParams { run_id: started.run_id }).await.expect("the run");
    assert_eq!(run.status, RunStatus::Succeeded, "{:?}", run.reason);
    Measured { seconds, tasks_per_commit: size as f64 / (after.commits - before.commits) as f64 }
}

fn plan(size: usize) -> Plan {
    let task = |number: usize| PlanTask {
        key: format!("noop-{number}"),
        title: format!("Do nothing, {number}"),
        description: String::new(),
        agent_type: AgentType::Test,
        agent: None,
        command: vec!["true".into()],
        dir: String::new(),
        writes: false,
        files: Vec::new(),
        depends: Vec::new(),
        reason: String::new(),
    };
    Plan {
        goal: "do nothing, often".into(),
        tasks: (0..size).map(task).collect(),
        notes: Vec::new(),
        by: None,
    }
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

/// Seconds a bare loop takes for the rows of `size` tasks, committed in batches.
fn bare_loop(size: usize, tasks_per_commit: f64) -> f64 {
    let dir = tempfile::tempdir().expect("a folder");
    let conn = rusqlite::Connection::open(dir.path().join("bare.db")).expect("a database");
    conn.execute_batch(BARE_SCHEMA).expect("a schema");
    let leaf = "x".repeat(620);
    let watch = Stopwatch::start();
    let batch = tasks_per_commit.round().max(1.0) as usize;
    for first in (0..size).step_by(batch) {
        conn.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        for number in first..(first + batch).min(size) {
            write_task(&conn, number, &leaf).expect("rows");
        }
        conn.execute_batch("COMMIT").expect("a commit");
    }
    watch.elapsed().as_secs_f64()
}

const BARE_SCHEMA: &str = "
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE journal (run BLOB, seq INTEGER, at INTEGER, command TEXT, PRIMARY KEY (run, seq)) WITHOUT ROWID;
    CREATE TABLE leaves (run BLOB, task BLOB, position INTEGER, status TEXT, phase TEXT, view TEXT, PRIMARY KEY (run, task)) WITHOUT ROWID;
    CREATE TABLE tasks (id BLOB PRIMARY KEY, status TEXT, updated_at INTEGER) WITHOUT ROWID;
    CREATE INDEX tasks_status ON tasks (status);
    CREATE TABLE actions (key TEXT PRIMARY KEY, run BLOB, epoch INTEGER, state TEXT, payload TEXT) WITHOUT ROWID;
    CREATE TABLE events (seq INTEGER PRIMARY KEY, at INTEGER, type TEXT, about TEXT, data TEXT);
    CREATE TABLE event_about (id TEXT, seq INTEGER, PRIMARY KEY (id, seq)) WITHOUT ROWID;";

/// One task's rows: begun (view, status, action, event) and done (journal, view, status, action, two events).
fn write_task(conn: &rusqlite::Connection, number: usize, leaf: &str) -> rusqlite::Result<()> {
    let (run, task) = ([7_u8; 16], (number as u128).to_be_bytes());
    let (task_name, run_name) =
        (format!("task_{number:032x}"), "run_".to_owned() + &"7".repeat(32));
    let key = format!("{task_name}/execute/0");
    let number = number as i64;
    let mut view = conn.prepare_cached("INSERT INTO leaves VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET status = excluded.status, phase = excluded.phase, view = excluded.view")?;
    let mut status = conn.prepare_cached("INSERT INTO tasks VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET status = excluded.status, updated_at = excluded.updated_at")?;
    let mut event =
        conn.prepare_cached("INSERT INTO events (at, type, about, data) VALUES (?1, ?2, ?3, ?4)")?;
    let mut about = conn.prepare_cached("INSERT INTO event_about VALUES (?1, ?2)")?;
    let mut tell = |kind: &str| -> rusqlite::Result<()> {
        event.execute((number, kind, &task_name, &leaf[..160]))?;
        let seq = conn.last_insert_rowid();
        about.execute((&task_name, seq))?;
        about.execute((&run_name, seq)).map(drop)
    };
    view.execute((run, task, number, "active", "executing", leaf))?;
    status.execute((task, "active", number))?;
    conn.prepare_cached("INSERT INTO actions VALUES (?1, ?2, 0, 'pending', ?3)")?.execute((
        &key,
        run,
        &leaf[..260],
    ))?;
    tell("task.updated")?;
    conn.prepare_cached("INSERT INTO journal VALUES (?1, ?2, ?3, ?4)")?.execute((
        run,
        number,
        number,
        &leaf[..320],
    ))?;
    view.execute((run, task, number, "completed", "done", leaf))?;
    status.execute((task, "completed", number))?;
    conn.prepare_cached("UPDATE actions SET state = 'done', payload = '' WHERE key = ?1")?
        .execute([&key])?;
    tell("run.checkpointed")?;
    tell("task.updated")
}
