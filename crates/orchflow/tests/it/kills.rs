//! The daemon is killed at instants nobody chose while two leaves work side by side.
//!
//! `ORCHFLOW_KILL_ROUNDS=N` sets the rounds, `ORCHFLOW_KILL_SEED=S` the instants; a failure
//! names its seed. Many rounds take longer than nextest allows a test: `cargo test` does not.

use std::time::Duration;

use orchflow_protocol::run::{Choices, Start, StartParams};
use orchflow_runtime::clock::Stopwatch;
use orchflow_runtime::env;
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::run::RunMode;

use crate::sound::{assert_sound, chain, turns};
use crate::stage::{Stage, look};

const FILES: [&str; 2] = ["first.txt", "second.txt"];

/// The most kills of one run.
const KILLS: u64 = 3;

fn plan() -> Plan {
    let task = |file: &str| PlanTask {
        files: vec![file.to_owned()],
        ..PlanTask::new(file.trim_end_matches(".txt"), format!("Add a line to {file}"))
    };
    let goal = "Add a line to both".to_owned();
    Plan::new(goal, FILES.map(task).to_vec())
}

fn params(stage: &Stage) -> StartParams {
    let mut params = stage.params("Add a line to both");
    let mode = Some(RunMode::Parallel);
    params.choices = Choices { mode, max_concurrency: Some(2), ..params.choices };
    params.plan = Some(plan());
    params
}

/// A small generator (SplitMix64), so that a round can be had again by its seed.
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// One run, killed up to three times within `span` of a start each; answers the kills and
/// how long the run took in all.
async fn round(mut seed: u64, span: Duration) -> (u64, Duration) {
    let mut stage = chain().await;
    let base = stage.repo.head().await.unwrap();
    stage.daemon.up().await.unwrap();
    let client = stage.daemon.client().await.unwrap();
    let run_id = client.call::<Start>(params(&stage)).await.unwrap().run_id;
    let watch = Stopwatch::start();
    let mut kills = 0;
    if !span.is_zero() {
        for _ in 0..=random(&mut seed) % KILLS {
            let micros = u64::try_from(span.as_micros()).unwrap();
            // Measured: the instant of the kill, which is the point of the test; nothing is waited for.
            tokio::time::sleep(Duration::from_micros(random(&mut seed) % micros)).await;
            let client = stage.daemon.client().await.unwrap();
            if look(&client, run_id).await.unwrap().status.is_final() {
                break;
            }
            stage.daemon.restart().await.unwrap();
            kills += 1;
        }
    }
    let run = stage.end_of(run_id).await;
    let took = watch.elapsed();
    assert_sound(&stage, &run, &base, &FILES).await;
    for file in FILES {
        let taken = turns(&stage, file);
        let most = 1 + usize::try_from(kills).unwrap();
        for word in ["worked", "mended"] {
            let count = taken.iter().filter(|turn| *turn == word).count();
            assert!((1..=most).contains(&count), "{file}: {taken:?} after {kills} kills");
        }
    }
    (kills, took)
}

fn number(name: &str) -> Option<u64> {
    env::var(name)?.parse().ok()
}

#[tokio::test]
async fn a_run_of_two_leaves_survives_kills_at_any_instant() {
    let rounds = number("ORCHFLOW_KILL_ROUNDS").unwrap_or(5);
    let first = number("ORCHFLOW_KILL_SEED").unwrap_or(u64::from(std::process::id()) << 16);
    let (_, undisturbed) = round(0, Duration::ZERO).await;
    println!("undisturbed, the run takes {} ms", undisturbed.as_millis());
    for seed in first..first + rounds {
        println!("ORCHFLOW_KILL_SEED={seed}");
        let (kills, took) = round(seed, undisturbed).await;
        println!("{kills} kills, {} ms", took.as_millis());
    }
}
