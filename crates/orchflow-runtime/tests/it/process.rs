//! Children are scrubbed, their exit codes true, their trees ended whole.

use std::io::Read;
use std::time::Duration;

use orchflow_runtime::process::{self, Spec, Stdio};
use orchflow_types::ErrorKind;
use orchflow_types::Explain;
use orchflow_types::pane::{ExitStatus, Size};

fn sh(script: &str) -> Spec {
    Spec::new(["sh", "-c", script], std::env::temp_dir())
}

async fn run(script: &str) -> process::Output {
    process::output(&sh(script), 1 << 20, Duration::from_secs(20)).await.unwrap()
}

/// Reads one line, so that what follows knows the child got there.
fn line(from: std::os::fd::OwnedFd) -> String {
    let mut file = std::fs::File::from(from);
    let mut text = Vec::new();
    let mut byte = [0];
    while file.read(&mut byte).unwrap_or(0) == 1 && byte[0] != b'\n' {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn exit_codes_and_signals_are_true() {
    assert_eq!(run("exit 0").await.status, ExitStatus { code: 0, signal: None });
    assert_eq!(run("exit 42").await.status, ExitStatus { code: 42, signal: None });
    assert_eq!(run("kill -9 $$").await.status, ExitStatus { code: 137, signal: Some(9) });
}

#[tokio::test]
async fn a_hundred_children_at_once_each_get_their_own_exit_code() {
    let birth = |code| (code, process::spawn(&sh(&format!("exit {code}"))).unwrap());
    let children: Vec<_> = (0..100).map(birth).collect();
    for (code, mut child) in children {
        assert_eq!(child.exit.wait().await.code, code);
    }
}

#[tokio::test]
async fn output_past_the_limit_is_read_and_let_go() {
    let spec = sh("head -c 300000 /dev/zero; echo oops >&2; exit 3");
    let output = process::output(&spec, 1000, Duration::from_secs(20)).await.unwrap();
    assert_eq!((output.stdout.len(), output.status.code), (1000, 3));
    assert_eq!(output.error_text(), "oops");
}

#[tokio::test]
async fn a_missing_program_and_a_missing_folder_are_told_apart() {
    let missing = process::spawn(&Spec::new(["no-such-program"], "/")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::ProgramNotFound);
    let nowhere = process::spawn(&Spec::new(["sh"], "/no/such/folder")).unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::File);
}

#[tokio::test]
async fn a_terminal_child_has_a_terminal_of_the_size_asked_for() {
    let mut spec = sh("stty size; test -t 0 && test -t 2 && echo yes");
    spec.stdio = Stdio::Tty(Size { cols: 91, rows: 17 });
    let mut child = process::spawn(&spec).unwrap();
    let size = line(child.tty.as_ref().unwrap().try_clone().unwrap());
    let yes = line(child.tty.as_ref().unwrap().try_clone().unwrap());
    assert_eq!((size.trim_end(), yes.trim_end()), ("17 91", "yes"));
    assert!(child.exit.wait().await.success());
}

#[tokio::test]
async fn a_tree_that_ignores_term_and_leaves_its_group_is_gone_after_terminate() {
    let mark = format!("test-{}", std::process::id());
    let mut spec = sh(
        "trap '' TERM; setsid sh -c 'echo $$; exec sleep 1000' & echo ready >&2; while :; do sleep 1000; done",
    );
    spec.mark.clone_from(&mark);
    let mut child = process::spawn(&spec).unwrap();
    let grandchild: u32 = line(child.stdout.take().unwrap()).parse().unwrap();
    assert_eq!(line(child.stderr.take().unwrap()), "ready");
    let started = process::start_time(grandchild).unwrap();
    assert!(process::is_alive(grandchild, started));
    process::terminate(
        child.pid,
        child.start_time,
        &mut child.exit,
        &mark,
        Duration::from_millis(50),
    )
    .await;
    // KILL is sent; the kernel may still be taking the process apart.
    while process::is_alive(grandchild, started) {
        tokio::task::yield_now().await;
    }
    assert_eq!(child.exit.now(), Some(ExitStatus { code: 137, signal: Some(9) }));
    assert_eq!(process::sweep(&mark), 0);
}

#[tokio::test]
async fn who_cleans_up_when_told_to_end_is_let_and_who_does_not_is_killed() {
    let mark = format!("polite-{}", std::process::id());
    let start = |script: &str| {
        let spec = Spec { mark: mark.clone(), ..sh(script) };
        let mut child = process::spawn(&spec).unwrap();
        assert_eq!(line(child.stdout.take().unwrap()), "ready");
        child
    };
    let mut tidy = start("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
    let mut deaf = start("trap '' TERM; echo ready; while :; do sleep 1000; done");
    let (mark, grace) = (mark.clone(), Duration::from_secs(1));
    tokio::task::spawn_blocking(move || process::sweep_politely(&mark, grace)).await.unwrap();
    assert_eq!(tidy.exit.wait().await.code, 7);
    assert_eq!(deaf.exit.wait().await.signal, Some(9));
}

#[tokio::test]
async fn a_child_that_runs_out_of_time_is_ended() {
    let output = process::output(&sh("sleep 1000"), 10, Duration::from_millis(50)).await.unwrap();
    assert!(output.timed_out);
    assert_eq!(output.status.signal, Some(15));
}

#[tokio::test]
async fn secrets_of_ours_do_not_reach_a_child() {
    assert_eq!(run("env | grep -c -E '^(GIT_|ORCHFLOW_T)' || true").await.text(), "0");
    let marked = Spec { mark: "m:1".into(), ..sh("printf %s \"$ORCHFLOW_MARK\"") };
    let output = process::output(&marked, 100, Duration::from_secs(20)).await.unwrap();
    assert_eq!(output.text(), "m:1");
}

#[tokio::test]
async fn a_child_that_goes_on_alone_leads_a_session_of_its_own() {
    let dir = std::env::temp_dir().join(format!("orchflow-session-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let script = "cut -d' ' -f6 /proc/self/stat > session; echo $$ > pid";
    let spec = Spec { stdio: Stdio::Null, ..Spec::new(["sh", "-c", script], &dir) };
    assert_eq!(process::spawn(&spec).unwrap().exit.wait().await.code, 0);
    let told = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    assert_eq!(told("session"), told("pid"));
    std::fs::remove_dir_all(&dir).unwrap();
}
