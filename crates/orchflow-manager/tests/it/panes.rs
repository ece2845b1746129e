//! Panes while they live.

use orchflow_manager::{Manager, panes};
use orchflow_protocol::pane::{
    CreateParams, KillParams, ListParams, Output, PaneParams, ResizeParams, What, WriteParams,
};
use orchflow_protocol::stream::encode;
use orchflow_protocol::test::ResultsParams;
use orchflow_runtime::process;
use orchflow_types::pane::{PaneState, Size};
use orchflow_types::{ErrorKind, EventType, Explain, PaneId};
use serde_json::json;

use crate::bed::{Bed, pipes, tty, wait_until, within};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_answers_the_same_pane_also_when_it_is_asked_for_at_once() {
    let bed = Bed::new();
    let params = CreateParams { idempotency_key: Some("once".to_owned()), ..pipes("cat") };
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..8 {
        asking.spawn(panes::create(bed.manager.clone(), params.clone()));
    }
    let mut answers = Vec::new();
    while let Some(answer) = asking.join_next().await {
        answers.push(answer.unwrap().unwrap().pane_id);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(bed.manager.counts().panes, 1);
    kill(&bed.manager, answers[0]).await;
    assert_eq!(bed.create(params).await, answers[0], "the key outlives the process");
}

#[tokio::test]
async fn the_end_is_told_once_and_only_when_it_is_written_down() {
    let bed = Bed::new();
    let pane_id = bed.create(tty("printf hello; exit 7")).await;
    let event = bed.exit(pane_id).await;
    assert_eq!(event.data, json!({ "exit_code": 7, "signal": null, "output_bytes": 5 }));
    let info = bed.info(pane_id).await;
    assert_eq!((info.state, info.exit_code, info.pid), (PaneState::Exited, Some(7), None));
    assert_eq!((info.output_bytes, info.title.as_str()), (5, "sh"));
    assert!(info.exited_at.is_some());
    wait_until("the pane is let go", || bed.manager.counts().panes == 0).await;
    assert_eq!(bed.events(pane_id, EventType::PaneCreated).len(), 1);
    assert_eq!(bed.events(pane_id, EventType::PaneExit).len(), 1);
}

#[tokio::test]
async fn what_is_written_is_read_until_the_input_is_closed() {
    let bed = Bed::new();
    let pane_id = bed.create(pipes("cat")).await;
    let input = WriteParams { pane_id, text: "te".into(), bytes: encode(b"xt"), enter: true };
    panes::write(bed.manager.clone(), input.clone()).await.unwrap();
    assert_eq!(bed.until(pane_id, "\n").await, "text\n");
    assert!(!bed.read(pane_id, What::Raw, Output::Output).await.end);
    panes::close_stdin(bed.manager.clone(), PaneParams { pane_id }).await.unwrap();
    assert_eq!(bed.exit(pane_id).await.data["exit_code"], 0);
    let error = panes::write(bed.manager.clone(), input.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let bad = WriteParams { bytes: "no base64!".to_owned(), ..input };
    let error = panes::write(bed.manager.clone(), bad).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParams);
}

#[tokio::test]
async fn behind_pipes_errors_are_apart_and_enter_is_a_line_end_behind_a_terminal() {
    let bed = Bed::new();
    let pane_id = bed.create(pipes("echo out; echo err >&2")).await;
    bed.exit(pane_id).await;
    assert_eq!(bed.text(pane_id, Output::Output).await, "out\n");
    assert_eq!(bed.text(pane_id, Output::Errors).await, "err\n");
    let pane_id = bed.create(tty("read line; echo got:$line")).await;
    let input = WriteParams { pane_id, text: "x".into(), bytes: String::new(), enter: true };
    panes::write(bed.manager.clone(), input).await.unwrap();
    bed.until(pane_id, "got:x").await;
    bed.exit(pane_id).await;
    assert_eq!(bed.read(pane_id, What::History, Output::Output).await.text, "x\ngot:x");
    assert_eq!(bed.text(pane_id, Output::Errors).await, "");
}

#[tokio::test]
async fn the_environment_is_scrubbed_and_what_was_asked_for_is_added() {
    let bed = Bed::new();
    let env = [("GREETING".to_owned(), "hello".to_owned())].into();
    let script = "echo $GREETING $ORCHFLOW_CRASH; pwd";
    let pane_id = bed.create(CreateParams { env, ..pipes(script) }).await;
    bed.exit(pane_id).await;
    assert_eq!(bed.text(pane_id, Output::Output).await, "hello\n/\n");
    // Without a command, the shell.
    let pane_id = bed.create(CreateParams { tty: false, ..CreateParams::default() }).await;
    assert_eq!(bed.info(pane_id).await.command, ["/bin/sh"]);
    kill(&bed.manager, pane_id).await;
}

#[tokio::test]
async fn what_cannot_be_started_leaves_nothing() {
    let bed = Bed::new();
    let refused = |params| {
        let manager = bed.manager.clone();
        async move { panes::create(manager, params).await.unwrap_err().kind() }
    };
    let at = |cwd: &str| CreateParams { cwd: Some(cwd.to_owned()), ..pipes("true") };
    assert_eq!(refused(at("relative")).await, ErrorKind::InvalidParams);
    assert_eq!(refused(at("/no/such/folder")).await, ErrorKind::File);
    let command = vec!["no-such-program-anywhere".to_owned()];
    assert_eq!(refused(CreateParams { command, ..pipes("") }).await, ErrorKind::ProgramNotFound);
    let command = vec!["echo".to_owned(), "a\0b".to_owned()];
    assert_eq!(refused(CreateParams { command, ..pipes("") }).await, ErrorKind::InvalidParams);
    let listed = panes::list(bed.manager.clone(), ListParams::default()).await.unwrap();
    assert_eq!(listed.panes, []);
    let unknown = orchflow_runtime::ids::mint(&orchflow_runtime::Clock::system());
    let error = panes::info(bed.manager.clone(), PaneParams { pane_id: unknown }).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::PaneNotFound);
}

#[tokio::test]
async fn killing_ends_the_whole_tree_also_what_left_the_group_and_ignores_term() {
    let bed = Bed::new();
    let script =
        "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' & wait; wait";
    let pane_id = bed.create(pipes(script)).await;
    let far: u32 = bed.until(pane_id, "\n").await.trim().parse().unwrap();
    let near = bed.info(pane_id).await.pid.unwrap();
    let born = [near, far].map(|pid| (pid, process::start_time(pid).unwrap()));
    let info = panes::kill(bed.manager.clone(), KillParams { pane_id, grace_ms: Some(100) });
    let info = within("the kill", info).await.unwrap();
    assert_eq!((info.state, info.signal), (PaneState::Exited, Some(9)));
    for (pid, started) in born {
        wait_until("the process is gone", || !process::is_alive(pid, started)).await;
    }
    let again = kill(&bed.manager, pane_id).await;
    assert_eq!(again.exited_at, info.exited_at, "killing twice changes nothing");
    assert_eq!(bed.events(pane_id, EventType::PaneExit).len(), 1);
}

#[tokio::test]
async fn a_new_size_reaches_the_program_the_row_and_the_log_of_events() {
    let bed = Bed::new();
    let script = "trap 'stty size; exit' WINCH; echo ready; while :; do read x; done";
    let pane_id = bed.create(tty(script)).await;
    bed.until(pane_id, "ready").await;
    let size = Size { cols: 132, rows: 43 };
    panes::resize(bed.manager.clone(), ResizeParams { pane_id, size }).await.unwrap();
    bed.until(pane_id, "43 132").await;
    assert_eq!(bed.info(pane_id).await.size, Some(size));
    let told = bed.events(pane_id, EventType::PaneResized);
    assert_eq!(told[0].data, json!({ "size": { "cols": 132, "rows": 43 } }));
    bed.exit(pane_id).await;
    let late = panes::resize(bed.manager.clone(), ResizeParams { pane_id, size }).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_reader_gets_every_byte_in_order_and_then_the_end() {
    let bed = Bed::new();
    let pane_id = bed.create(pipes("seq 1 200000")).await;
    let mut reader = bed.reader(pane_id).await;
    let (mut seen, mut ended) = (Vec::new(), false);
    while let Some(piece) = within("a piece", reader.next()).await.unwrap() {
        assert_eq!((piece.offset, piece.skipped), (seen.len() as u64, 0));
        assert!(piece.bytes.len() <= 64 * 1024);
        seen.extend(piece.bytes);
        ended = piece.end;
    }
    assert!(ended);
    let expected: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    assert!(seen == expected.as_bytes());
    assert_eq!(bed.info(pane_id).await.state, PaneState::Exited, "the end is written by then");
}

#[tokio::test]
async fn a_stream_ends_with_its_process_though_a_child_holds_the_output_open() {
    let bed = Bed::new();
    let pane_id = bed.create(pipes("sleep 1000 & echo done")).await;
    let mut reader = bed.reader(pane_id).await;
    let mut seen = Vec::new();
    while let Some(piece) = within("a piece", reader.next()).await.unwrap() {
        seen.extend(piece.bytes);
    }
    assert_eq!(seen, b"done\n");
    assert_eq!(bed.manager.counts().panes, 0);
    kill(&bed.manager, pane_id).await;
    // Also when the child never stops printing.
    let pane_id = bed.create(pipes("yes & exit 0")).await;
    let mut reader = bed.reader(pane_id).await;
    let all = async { while reader.next().await.unwrap().is_some() {} };
    within("the end of a stream", all).await;
    kill(&bed.manager, pane_id).await;
}

#[tokio::test]
async fn a_late_reader_is_told_to_the_byte_what_was_let_go() {
    let bed = Bed::new();
    let pane_id = bed.create(pipes("head -c 30000000 /dev/zero")).await;
    bed.exit(pane_id).await;
    let mut reader = bed.reader(pane_id).await;
    let (mut next, mut skipped) = (0, 0);
    while let Some(piece) = within("a piece", reader.next()).await.unwrap() {
        assert_eq!(piece.offset, next + piece.skipped);
        next = piece.offset + piece.bytes.len() as u64;
        skipped += piece.skipped;
    }
    assert_eq!(next, 30_000_000);
    assert!(skipped > 0);
    let info = bed.info(pane_id).await;
    assert_eq!((info.output_bytes, info.output_from > 0), (30_000_000, true));
}

#[tokio::test]
async fn a_list_is_read_page_by_page_newest_first() {
    let bed = Bed::new();
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(bed.create(pipes("true")).await);
    }
    for pane_id in &made {
        bed.exit(*pane_id).await;
    }
    made.reverse();
    let page = |cursor| {
        panes::list(
            bed.manager.clone(),
            ListParams { state: Some(PaneState::Exited), cursor, limit: Some(2) },
        )
    };
    let first = page(None).await.unwrap();
    let second = page(first.next_cursor.clone()).await.unwrap();
    let listed = first.panes.iter().chain(&second.panes).map(|info| info.pane_id);
    assert_eq!(listed.collect::<Vec<_>>(), made);
    assert_eq!(second.next_cursor, None);
    let error = page(Some("elsewhere".to_owned())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParams);
}

#[tokio::test]
async fn test_results_are_read_from_both_outputs_of_a_pane() {
    let bed = Bed::new();
    let said = "Ran 3 tests in 0.001s\\n\\nFAILED (failures=1)\\n";
    let pane_id = bed.create(pipes(&format!("printf '{said}' >&2"))).await;
    bed.exit(pane_id).await;
    let results = |framework: &str| {
        let params = ResultsParams { pane_id, framework: framework.to_owned() };
        orchflow_manager::test_results::results(bed.manager.clone(), params)
    };
    let summary = results("unittest").await.unwrap().summary.unwrap();
    assert_eq!((summary.passed, summary.failed), (2, 1));
    assert_eq!(results("cargo-test").await.unwrap().summary, None);
}

async fn kill(manager: &Manager, pane_id: PaneId) -> orchflow_types::pane::PaneInfo {
    let params = KillParams { pane_id, grace_ms: Some(0) };
    within("the kill", panes::kill(manager.clone(), params)).await.unwrap()
}
