//! Recorded journals, each with the run it led to. A newer machine must lead them to the
//! same end: a journal in a user's database was written by an older one.
//!
//! A file here is never changed to suit a change of the machine; that would be a change of
//! what stored runs mean. To record new ones, add a scene below and run
//! `cargo nextest run -p orchflow-workflow --run-ignored only record_the_scenes_not_yet_recorded`;
//! it writes only files that are not there yet.

use std::fs;
use std::path::PathBuf;

use orchflow_types::Timestamp;
use orchflow_types::run::{Run, RunMode, RunOptions, RunStatus};
use orchflow_workflow::{Command, Failure, Outcome, Step, replay};
use serde::{Deserialize, Serialize};

use crate::player::{Player, failed, leaf, needs_work, options, said, well};

#[derive(Serialize, Deserialize)]
struct Golden {
    journal: Vec<(Timestamp, Command)>,
    run: Run,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
}

fn scenes() -> Vec<(&'static str, Player)> {
    vec![
        ("all_goes_well", all_goes_well()),
        ("fixed_and_partly_merged", fixed_and_partly_merged()),
        ("approved_paused_and_cancelled", approved_paused_and_cancelled()),
        ("restarted_and_out_of_time", restarted_and_out_of_time()),
        ("without_room_noticed_and_broken", without_room_noticed_and_broken()),
    ]
}

fn all_goes_well() -> Player {
    let nodes = [leaf(1, true, &[]), leaf(2, false, &[1])];
    let mut player = Player::planned(options(), &nodes);
    assert_eq!(player.finish(), RunStatus::Succeeded);
    player
}

fn fixed_and_partly_merged() -> Player {
    let parallel = RunOptions { mode: RunMode::Parallel, ..options() };
    let nodes = [leaf(1, true, &[]), leaf(2, true, &[]), leaf(3, false, &[2]), leaf(4, false, &[])];
    let mut player = Player::planned(parallel, &nodes);
    let mut refused = false;
    let status = player.finish_with(|action| match &action.step {
        Step::Audit { .. } if !std::mem::replace(&mut refused, true) => needs_work(),
        Step::Execute { turn: 0, agent: Some(_), .. } => failed(Failure::Agent),
        Step::Merge if action.key.as_str().contains("0002/") => Outcome::MergedRed(said("test", 1)),
        _ => well(action),
    });
    assert_eq!(status, RunStatus::Partial);
    player
}

fn approved_paused_and_cancelled() -> Player {
    let asking = RunOptions { auto_approve: false, ..options() };
    let mut player = Player::planned(asking, &[leaf(1, true, &[]), leaf(2, true, &[1])]);
    player.say(Command::Approve { plan: None });
    player.go(&["open_run", "prepare_leaf"]);
    player.say(Command::Pause);
    player.go(&["execute"]);
    player.say(Command::Resume);
    player.say(Command::Cancel { reason: "enough".to_owned() });
    player.answer("gate", failed(Failure::Cancelled));
    assert_eq!(player.finish(), RunStatus::Cancelled);
    player
}

fn restarted_and_out_of_time() -> Player {
    let mut player = Player::planned(options(), &[leaf(1, true, &[]), leaf(2, true, &[])]);
    player.go(&["open_run", "prepare_leaf", "execute", "gate"]);
    player.say(Command::Restart { epoch: 2 });
    player.go(&["gate", "audit", "commit", "merge", "clean", "prepare_leaf"]);
    player.say(Command::Deadline);
    player.answer("execute", failed(Failure::Cancelled));
    assert_eq!(player.finish(), RunStatus::Partial);
    player
}

fn without_room_noticed_and_broken() -> Player {
    let mut player = Player::planned(options(), &[leaf(1, true, &[]), leaf(2, true, &[])]);
    player.answer("open_run", failed(Failure::NoRoom));
    player.go(&["await_room", "open_run", "prepare_leaf"]);
    let task = player.leaf(1).task_id;
    player.say(Command::Noticed { task, note: "`main` moved".to_owned() });
    player.go(&["execute", "gate", "gate", "audit", "commit", "merge"]);
    player.answer("clean", failed(Failure::NoRoom));
    player.say(Command::Resume);
    player.go(&["clean", "prepare_leaf"]);
    player.say(Command::Broken { reason: "a fault of orchflow".to_owned() });
    player.answer("execute", failed(Failure::Cancelled));
    assert_eq!(player.finish(), RunStatus::Partial);
    player
}

#[test]
fn every_recorded_journal_leads_to_the_run_it_led_to() {
    let mut replayed = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let golden: Golden = serde_json::from_str(&text).unwrap();
        let state = replay(golden.journal).unwrap();
        assert_eq!(state.view(), golden.run, "{}", path.display());
        replayed += 1;
    }
    assert!(replayed >= scenes().len(), "a scene is not recorded yet");
}

#[test]
#[ignore = "writes files: run it by name to record new scenes"]
fn record_the_scenes_not_yet_recorded() {
    for (name, player) in scenes() {
        let path = folder().join(format!("{name}.json"));
        if !path.exists() {
            let golden = Golden { run: player.state.view(), journal: player.journal };
            let text = serde_json::to_string_pretty(&golden).unwrap();
            fs::write(path, text + "\n").unwrap();
        }
    }
}
