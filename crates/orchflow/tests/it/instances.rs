//! One daemon, however many are asked for, and whatever one before has left lying about.

use orchflow_testkit::TestDaemon;

use crate::ORCHFLOW;
use crate::stage::error;

fn home() -> TestDaemon {
    TestDaemon::home(ORCHFLOW, "", &[]).unwrap()
}

async fn pid(home: &TestDaemon) -> u64 {
    let info = home.cli(&["--json", "status"]).await.unwrap().ok().json();
    info["pid"].as_u64().unwrap()
}

#[tokio::test]
async fn a_socket_that_a_killed_daemon_left_is_in_nobodys_way() {
    let mut home = home();
    home.up().await.unwrap();
    let first = pid(&home).await;
    home.kill().await;
    assert!(home.socket().exists(), "a killed daemon cannot tidy up");
    assert_ne!(pid(&home).await, first);
}

#[tokio::test]
async fn a_file_that_is_no_socket_in_its_place_is_told_or_taken_away() {
    let home = home();
    std::fs::create_dir_all(home.path().join("run")).unwrap();
    std::fs::write(home.socket(), "no socket").unwrap();
    let said = home.cli(&["--json", "status"]).await.unwrap();
    assert!(said.code == 0 || error(&said)["message"].as_str().unwrap().contains("orchflow.sock"));
}

#[tokio::test]
async fn a_lock_with_the_pid_of_another_program_hinders_nobody_and_harms_nobody() {
    let mut bystander = orchflow_runtime::process::spawn(&orchflow_runtime::process::Spec::new(
        ["sleep", "3600"],
        "/",
    ))
    .unwrap();
    let home = home();
    std::fs::create_dir_all(home.path().join("run")).unwrap();
    let lock = home.path().join("run/daemon.lock");
    for text in [bystander.pid.to_string(), "999999999".to_owned(), "not a pid".to_owned()] {
        std::fs::write(&lock, text).unwrap();
        pid(&home).await;
        home.cli(&["down"]).await.unwrap().ok();
    }
    assert!(bystander.exit.now().is_none(), "the process whose pid stood there lives");
    let group = rustix::process::Signal::KILL;
    orchflow_runtime::process::kill_group(bystander.pid, bystander.start_time, group);
    bystander.exit.wait().await;
}

#[tokio::test]
async fn a_home_whose_socket_path_is_too_long_works_all_the_same() {
    let parent = tempfile::tempdir().unwrap();
    let long = parent.path().join("long".repeat(40));
    let text = long.to_str().unwrap();
    let home = TestDaemon::home(ORCHFLOW, "", &[("ORCHFLOW_HOME", text)]).unwrap();
    let said = home.cli(&["--json", "status"]).await.unwrap();
    let ended = home.cli(&["down"]).await.unwrap();
    let socket = said.ok().json()["socket"].as_str().unwrap().to_owned();
    assert!(socket.len() <= 107 && socket.starts_with("/tmp/orchflow-"), "{socket}");
    ended.ok();
}
