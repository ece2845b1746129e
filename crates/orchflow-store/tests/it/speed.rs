//! What a write costs beside a bare loop over the same rows in the same batches, and what an
//! open costs. Figures, not promises: run with `--ignored --nocapture`.

use orchflow_runtime::clock::Stopwatch;
use orchflow_store::{Store, tasks};
use rusqlite::{Connection, params};

use crate::{Place, at, task};

const ROWS: usize = 20_000;
const BATCH: usize = 500;

fn bare(place: &Place) -> u64 {
    place.open().close_blocking().unwrap();
    let conn = Connection::open(place.path()).unwrap();
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").unwrap();
    let rows: Vec<_> = (0..ROWS).map(|_| task("a task")).collect();
    let watch = Stopwatch::start();
    for batch in rows.chunks(BATCH) {
        conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        for task in batch {
            let id = task.id.to_string();
            conn.prepare_cached(
                "INSERT INTO tasks (id, position, title, description, status, mode, spec, \
                 metadata, created_at, updated_at) \
                 VALUES (?1, 0, ?2, '', 'pending', 'autonomous', '{}', '{}', 1, 1)",
            )
            .unwrap()
            .execute(params![&id.as_bytes()[21..], task.title])
            .unwrap();
        }
        conn.execute_batch("COMMIT").unwrap();
    }
    watch.millis()
}

fn ours(store: &Store) -> u64 {
    let rows: Vec<_> = (0..ROWS).map(|_| task("a task")).collect();
    let watch = Stopwatch::start();
    let mut receipts = Vec::with_capacity(ROWS);
    for task in rows {
        let queued = store.submit_blocking(move |tx| tasks::insert(tx, &task, None));
        receipts.push(queued.unwrap());
    }
    receipts.into_iter().for_each(|receipt| receipt.wait_blocking().unwrap());
    watch.millis()
}

#[test]
#[ignore = "prints figures"]
fn writes_beside_a_bare_loop_and_opens() {
    let bare = bare(&Place::new());
    let place = Place::new();
    let store = place.open();
    let ours = ours(&store);
    let stats = store.stats();
    println!(
        "{ROWS} rows: bare {bare} ms, store {ours} ms ({:.2} x), {:.0} writes a commit",
        bare as f64 / ours as f64,
        stats.transactions as f64 / stats.commits as f64,
    );
    store.close_blocking().unwrap();
    let mut opens: Vec<_> = (0..20)
        .map(|_| {
            let watch = Stopwatch::start();
            let (store, _) = Store::open(&place.path(), at(1)).unwrap();
            let micros = watch.elapsed().as_micros();
            store.close_blocking().unwrap();
            micros
        })
        .collect();
    opens.sort_unstable();
    println!("open: median {} us, worst {} us", opens[10], opens[19]);
}
