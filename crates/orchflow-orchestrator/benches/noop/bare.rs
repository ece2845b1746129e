//! The bare loop: rusqlite and prepared statements on the store's own schema and settings,
//! with the same rows in the same number of commits, and nothing else. It knows beforehand
//! what it will write; nothing is decided, turned into JSON or told to anybody.

use std::path::Path;

use orchflow_runtime::clock::Stopwatch;
use rusqlite::{Connection, Result, params};

const SCHEMA: [&str; 2] = [
    include_str!("../../../orchflow-store/src/schema/base_1.sql"),
    include_str!("../../../orchflow-store/src/schema/orchestrator_1.sql"),
];
const SETTINGS: &str =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

const RUN: [u8; 16] = [7; 16];
const ROOT: [u8; 16] = [9; 16];

/// Bytes of what the rows of one task hold, as orchflow wrote them.
pub(crate) struct Sizes {
    /// A command in the journal.
    command: usize,
    /// The view of a leaf that is done; one at work is shorter by its gate.
    leaf: usize,
    action: usize,
    checkpoint: usize,
    updated: usize,
    spec: usize,
    title: usize,
    /// The view of the run, its plan in it.
    run: usize,
}

/// How long it took.
pub(crate) struct Took {
    pub(crate) plan_seconds: f64,
    pub(crate) seconds: f64,
}

impl Sizes {
    /// The sizes in a database orchflow has just written a run of no-op tasks to.
    pub(crate) fn of(path: &Path, action: usize) -> Self {
        let conn = Connection::open(path).expect("the database of the run");
        let average = |what: &str| -> usize {
            let bytes: f64 = conn
                .query_row(&format!("SELECT avg(length({what}"), [], |row| row.get(0))
                .expect("rows of the run");
            bytes.round() as usize
        };
        Self {
            command: average("command)) FROM journal WHERE seq > 1"),
            leaf: average("view)) FROM run_leaves"),
            action,
            checkpoint: average("data)) FROM events WHERE type = 'run.checkpointed'"),
            updated: average("data)) FROM events WHERE type = 'task.updated'"),
            spec: average("spec)) FROM tasks WHERE parent_id IS NOT NULL"),
            title: average("title)) FROM tasks WHERE parent_id IS NOT NULL"),
            run: average("view)) FROM runs"),
        }
    }
}

/// Writes the rows of `tasks` tasks of which `in_flight` are at work at a time.
pub(crate) fn run(tasks: usize, in_flight: usize, per_commit: f64, sizes: &Sizes) -> Took {
    let dir = tempfile::tempdir().expect("a folder");
    let conn = Connection::open(dir.path().join("bare.db")).expect("a database");
    conn.set_prepared_statement_cache_capacity(128);
    conn.execute_batch(SETTINGS).expect("settings");
    SCHEMA.iter().for_each(|part| conn.execute_batch(part).expect("a schema"));
    let bare = Bare { conn, text: "x".repeat(sizes.run + sizes.leaf), sizes, tasks };
    let watch = Stopwatch::start();
    bare.commit(|| bare.plan(in_flight));
    let plan_seconds = watch.elapsed().as_secs_f64();
    let watch = Stopwatch::start();
    let batch = per_commit.round().max(1.0) as usize;
    for first in (0..tasks).step_by(batch) {
        bare.commit(|| {
            for number in first..(first + batch).min(tasks) {
                bare.done(number)?;
                if number + in_flight < tasks {
                    bare.begun(number + in_flight)?;
                }
            }
            if first + batch >= tasks { bare.run_is("succeeded") } else { Ok(()) }
        });
    }
    Took { plan_seconds, seconds: watch.elapsed().as_secs_f64() }
}

struct Bare<'a> {
    conn: Connection,
    text: String,
    sizes: &'a Sizes,
    tasks: usize,
}

impl Bare<'_> {
    fn commit(&self, work: impl FnOnce() -> Result<()>) {
        self.conn.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        work().expect("rows");
        self.conn.execute_batch("COMMIT").expect("a commit");
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        self.conn.prepare_cached(sql)?.execute(params)
    }

    fn plan(&self, in_flight: usize) -> Result<()> {
        self.execute("INSERT INTO runs VALUES (?1, ?2, '/', '', '', 0, NULL, 0, '')", (RUN, ROOT))?;
        self.run_is("running")?;
        self.task(ROOT, None, 0)?;
        self.journal(0, self.sizes.run)?;
        for number in 0..self.tasks {
            self.task(id(number), Some(ROOT), number)?;
            self.leaf(number, "pending", "waiting", self.sizes.leaf / 2)?;
        }
        (0..in_flight.min(self.tasks)).try_for_each(|number| self.begun(number))
    }

    fn task(&self, task: [u8; 16], parent: Option<[u8; 16]>, position: usize) -> Result<()> {
        let (title, spec) = (self.text(self.sizes.title), self.text(self.sizes.spec));
        self.execute(
            "INSERT INTO tasks VALUES (?1, ?2, ?3, ?4, '', 'pending', 'auto', ?5, '{}', ?6, 0, 0)",
            params![task, parent, position, title, spec, RUN],
        )?;
        Ok(())
    }

    fn leaf_is(&self, number: usize, status: &str, phase: &str, bytes: usize) -> Result<()> {
        self.execute(
            "UPDATE run_leaves SET position = ?3, status = ?4, phase = ?5, view = ?6 \
             WHERE run_id = ?1 AND task_id = ?2",
            (RUN, id(number), number, status, phase, self.text(bytes)),
        )?;
        Ok(())
    }

    /// A task begins: its leaf, its status, its action, its event.
    fn begun(&self, number: usize) -> Result<()> {
        self.leaf_is(number, "active", "executing", self.sizes.leaf / 2)?;
        self.status(number, "active")?;
        self.execute(
            "INSERT INTO actions VALUES (?1, ?2, 0, ?3, 'pending', ?4)",
            (key(number), RUN, number, self.text(self.sizes.action)),
        )?;
        self.tell("task.updated", self.sizes.updated, &[id(number), RUN, ROOT])
    }

    /// A task is done: its command, its leaf, its status, its action, its events.
    fn done(&self, number: usize) -> Result<()> {
        self.journal(number + 1, self.sizes.command)?;
        self.leaf_is(number, "completed", "done", self.sizes.leaf)?;
        self.status(number, "completed")?;
        self.execute(
            "UPDATE actions SET state = 'done', payload = '' WHERE key = ?1",
            [key(number)],
        )?;
        self.tell("run.checkpointed", self.sizes.checkpoint, &[RUN, ROOT])?;
        self.tell("task.updated", self.sizes.updated, &[id(number), RUN, ROOT])
    }

    fn run_is(&self, status: &str) -> Result<()> {
        let view = self.text(self.sizes.run);
        self.execute("UPDATE runs SET status = ?1, view = ?2", (status, view)).map(drop)
    }

    fn journal(&self, seq: usize, bytes: usize) -> Result<()> {
        let command = self.text(bytes);
        self.execute("INSERT INTO journal VALUES (?1, ?2, ?2, ?3)", (RUN, seq, command)).map(drop)
    }

    fn leaf(&self, number: usize, status: &str, phase: &str, bytes: usize) -> Result<()> {
        self.execute(
            "INSERT INTO run_leaves VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (RUN, id(number), number, status, phase, self.text(bytes)),
        )?;
        Ok(())
    }

    fn status(&self, number: usize, status: &str) -> Result<()> {
        let sql = "UPDATE tasks SET status = ?2, updated_at = ?3 WHERE id = ?1";
        self.execute(sql, (id(number), status, number)).map(drop)
    }

    fn tell(&self, kind: &str, bytes: usize, above: &[[u8; 16]]) -> Result<()> {
        let sql = "INSERT INTO events (at, type, about, data) VALUES (0, ?1, ?2, ?3)";
        self.execute(sql, (kind, self.text(37), self.text(bytes)))?;
        let seq = self.conn.last_insert_rowid();
        above.iter().try_for_each(|id| {
            self.execute("INSERT INTO event_about VALUES (?1, ?2)", (id, seq)).map(drop)
        })
    }

    fn text(&self, bytes: usize) -> &str {
        &self.text[..bytes]
    }
}

/// Ids that grow, as those that are minted do.
fn id(number: usize) -> [u8; 16] {
    (number as u128 + (1 << 100)).to_be_bytes()
}

fn key(number: usize) -> String {
    format!("task_{number:032x}/execute/0")
}
