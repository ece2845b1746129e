//! The daemon is killed at every named instant of a run, again while it recovers, and the
//! run ends as if nothing had happened.
//!
//! `ORCHFLOW_CRASH_HITS=N` tries the first N hits of each point instead of a few.

use orchflow_client::Client;
use orchflow_protocol::run::{List, ListParams, Start, StartParams};
use orchflow_runtime::clock::Stopwatch;
use orchflow_runtime::crash::POINTS;
use orchflow_runtime::env;
use orchflow_testkit::{Scripts, wait_until};
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::run::RunStatus;
use orchflow_types::{AgentType, RunId};

use crate::sound::{assert_sound, chain, turns};
use crate::stage::{Stage, look};

/// Hits of a point that are tried when nothing else is said; those it does not come to are
/// left out.
const HITS: [u32; 4] = [1, 2, 5, 9];

const GOAL: &str = "Add a line to first.txt";
const SIGKILL: i32 = 9;

/// How a daemon that was to die at a point ended.
#[derive(PartialEq)]
enum Reached {
    Died,
    /// The run ended before the point was hit that often.
    Never,
}

/// Lets a daemon live until it dies at the point it is armed with, or the run has ended.
async fn until_death(stage: &mut Stage, armed: &str) -> Reached {
    stage.daemon.launch(&[("ORCHFLOW_CRASH", armed)]).unwrap();
    if stage.daemon.answers().await.unwrap()
        && let Some(run) = ensure_run(stage).await
    {
        let daemon = &stage.daemon;
        let client = daemon.client().await.ok();
        wait_until("the death of the daemon or the end of the run", || async {
            daemon.has_ended() || is_over(client.as_ref(), run).await
        })
        .await;
        if !stage.daemon.has_ended() {
            return Reached::Never;
        }
    }
    assert_eq!(stage.daemon.ended().await, Some(SIGKILL), "{}", stage.daemon.log());
    Reached::Died
}

async fn is_over(client: Option<&Client>, run: RunId) -> bool {
    match client {
        Some(client) => look(client, run).await.is_some_and(|run| run.status.is_final()),
        None => false,
    }
}

/// The one run there is, started when there is none yet: a start that was cut off before it
/// was acknowledged may have been committed or not, and a user who looks knows which.
async fn ensure_run(stage: &Stage) -> Option<RunId> {
    let client = stage.daemon.client().await.ok()?;
    let runs = client.call::<List>(ListParams::default()).await.ok()?.runs;
    assert!(runs.len() <= 1, "one goal is one run: {runs:?}");
    if let Some(run) = runs.first() {
        return Some(run.run_id);
    }
    Some(client.call::<Start>(stage.params(GOAL)).await.ok()?.run_id)
}

/// Crashes at the `hit`-th time of `point`, then `again` at the first time after each
/// restart; answers whether the point was hit that often.
async fn crash(point: &str, hit: u32, again: u32) -> bool {
    let mut stage = chain().await;
    let base = stage.repo.head().await.unwrap();
    if until_death(&mut stage, &format!("{point}:{hit}")).await == Reached::Never {
        return false;
    }
    let mut deaths = 1;
    for _ in 0..again {
        match until_death(&mut stage, point).await {
            Reached::Died => deaths += 1,
            Reached::Never => break,
        }
    }
    if stage.daemon.pid().is_none() {
        let watch = Stopwatch::start();
        stage.daemon.up().await.unwrap();
        println!("{point}:{hit}, {deaths} deaths: ready again after {} ms", watch.millis());
    }
    let run = ensure_run(&stage).await.unwrap();
    let run = stage.end_of(run).await;
    assert_sound(&stage, &run, &base, &["first.txt"]).await;
    assert_turns(&stage, point, deaths);
    true
}

/// A turn that was cut short is taken once more, one that was committed never.
fn assert_turns(stage: &Stage, point: &str, deaths: usize) {
    let taken = turns(stage, "first.txt");
    let committed_before = ["execute.after_commit", "commit", "merge", "land", "clean"];
    let may_repeat = !committed_before.iter().any(|known| point.starts_with(known));
    for word in ["worked", "mended"] {
        let count = taken.iter().filter(|turn| *turn == word).count();
        let most = if may_repeat { 1 + deaths } else { 1 };
        assert!((1..=most).contains(&count), "{point}: {taken:?} after {deaths} deaths");
    }
}

async fn sweep(point: &str) {
    let wanted = env::var("ORCHFLOW_CRASH_HITS").and_then(|text| text.parse().ok());
    let hits: Vec<u32> = wanted.map_or_else(|| HITS.to_vec(), |most| (1..=most).collect());
    for hit in hits {
        if !crash(point, hit, 0).await {
            assert!(hit > 1, "{point} is never reached by this chain");
            println!("{point}: not hit {hit} times");
            break;
        }
    }
    assert!(crash(point, 1, 2).await, "{point} is never reached by this chain");
}

/// Points that a run does not come by, and the test that reaches each.
const ELSEWHERE: [(&str, &str); 3] = [
    (
        "store.after_migration_step",
        "a test of orchflow-store: a new database is made in one migration before there is a daemon",
    ),
    (
        "plan.before_turn",
        "a_death_before_or_after_the_architect_s_turn_takes_it_once_more: this chain has no architect",
    ),
    (
        "plan.after_turn",
        "a_death_before_or_after_the_architect_s_turn_takes_it_once_more: this chain has no architect",
    ),
];

macro_rules! sweeps {
    ($($test:ident: $point:literal,)*) => {
        const SWEPT: &[&str] = &[$($point),*];
        $(
            #[tokio::test]
            async fn $test() {
                sweep($point).await;
            }
        )*
    };
}

sweeps! {
    a_death_before_a_batch_is_committed_changes_nothing: "store.before_commit",
    a_death_after_a_batch_was_committed_changes_nothing: "store.after_commit",
    a_death_before_a_command_is_committed_changes_nothing: "run.before_commit",
    a_death_after_a_command_was_committed_changes_nothing: "run.after_commit",
    a_death_after_an_action_was_performed_changes_nothing: "action.performed",
    a_death_before_a_turn_changes_nothing: "execute.before_turn",
    a_death_after_a_turn_takes_it_once_more_from_the_start: "execute.after_turn",
    a_turn_that_was_committed_before_the_death_is_not_taken_again: "execute.after_commit",
    a_death_after_a_leaf_was_committed_loses_nothing_of_it: "commit.after",
    a_death_before_the_merge_changes_nothing: "merge.before",
    a_death_after_the_merge_does_not_merge_twice: "merge.after",
    a_death_before_landing_changes_nothing: "land.before",
    a_death_after_landing_does_not_land_twice: "land.after",
    a_death_before_cleaning_leaves_nothing_behind: "clean.before",
    a_death_after_cleaning_leaves_nothing_behind: "clean.after",
}

#[test]
fn every_crash_point_of_the_code_is_swept_or_named_as_reached_elsewhere() {
    for point in POINTS {
        let elsewhere = ELSEWHERE.iter().any(|(known, _)| known == point);
        assert!(SWEPT.contains(point) != elsewhere, "{point} has no sweep");
    }
    assert_eq!(SWEPT.len() + ELSEWHERE.len(), POINTS.len());
}

#[tokio::test]
async fn a_command_that_looks_at_the_result_begins_again_on_it_and_not_on_its_own_leavings() {
    let steady = |scripts: &Scripts| scripts.edits("steady", "notes.txt", "hello\n").unwrap();
    let mut stage = Stage::with(steady, "").await;
    let begun = stage.scripts.path().join("begun");
    // Red on what the time before has written into its folder; the first time it hangs.
    let looks = format!(
        "grep -q hello notes.txt && ! test -e half || exit 1\ntouch half\n\
         if ! test -e {0}; then touch {0}; exec sleep 86400; fi",
        begun.display()
    );
    let looks = stage.scripts.script("looks", &looks).unwrap();
    let task = |key: &str, writes: bool, command: Vec<String>, depends: &[&str]| PlanTask {
        key: key.to_owned(),
        title: key.to_owned(),
        description: String::new(),
        agent_type: if writes { AgentType::Dev } else { AgentType::Test },
        agent: None,
        command,
        dir: String::new(),
        writes,
        files: Vec::new(),
        depends: depends.iter().map(|key| (*key).to_owned()).collect(),
        reason: String::new(),
    };
    let looking = vec![looks.path().display().to_string()];
    let tasks = vec![task("write", true, vec![], &[]), task("look", false, looking, &["write"])];
    let plan = Plan { goal: GOAL.to_owned(), tasks, notes: Vec::new(), by: None };

    stage.daemon.up().await.unwrap();
    let client = stage.daemon.client().await.unwrap();
    let params = StartParams { plan: Some(plan), ..stage.params(GOAL) };
    let run_id = client.call::<Start>(params).await.unwrap().run_id;
    wait_until("the command at work", || async { begun.exists() }).await;
    stage.daemon.restart().await.unwrap();
    let run = stage.end_of(run_id).await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:#?}");
}
