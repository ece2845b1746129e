//! Input and output: what goes in arrives, what comes out is all there.

use orchflow_terminal::{PaneSpec, Stream};
use orchflow_types::pane::{ExitStatus, Size};
use orchflow_types::{ErrorKind, Explain};

use crate::bed::{Bed, all, exit, output, until, within};

#[tokio::test]
async fn a_pane_with_a_terminal_has_one_and_a_pane_with_pipes_has_none() {
    let bed = Bed::new();
    let script = "test -t 0 && test -t 1 && test -t 2 && echo \"$TERM\" || echo none";
    let (tty, pipes) = (bed.tty(script).await, bed.pipes(script).await);
    assert!(exit(&tty).await.success() && exit(&pipes).await.success());
    assert_eq!((output(&tty).as_str(), output(&pipes).as_str()), ("xterm-256color\r\n", "none\n"));
    assert!(tty.log(Stream::Errors).is_none() && pipes.size().is_none());
    bed.end().await;
}

#[tokio::test]
async fn exit_codes_and_signals_are_told_for_terminals_and_pipes() {
    let bed = Bed::new();
    for tty in [true, false] {
        let run =
            async |script| exit(&bed.start(&PaneSpec { tty, ..bed.spec(script) }).await).await;
        assert_eq!(run("exit 0").await, ExitStatus { code: 0, signal: None });
        assert_eq!(run("exit 42").await, ExitStatus { code: 42, signal: None });
        assert_eq!(run("kill -9 $$").await, ExitStatus { code: 137, signal: Some(9) });
    }
    bed.end().await;
}

#[tokio::test]
async fn every_byte_of_a_megabyte_is_there_when_the_exit_is_told() {
    let bed = Bed::new();
    let script = "head -c 750000 /dev/zero | base64 -w 0";
    let wanted = "A".repeat(1_000_000);
    for tty in [true, false] {
        let pane = bed.start(&PaneSpec { tty, ..bed.spec(script) }).await;
        assert!(exit(&pane).await.success());
        assert!(output(&pane) == wanted, "{} bytes, tty {tty}", output(&pane).len());
    }
    bed.end().await;
}

#[tokio::test]
async fn a_program_that_closes_its_terminal_and_opens_it_again_loses_no_output() {
    let bed = Bed::new();
    let pane =
        bed.tty("echo there; exec <&- >&- 2>&-; sleep 0.2; echo back >/dev/tty; exit 4").await;
    assert_eq!(exit(&pane).await.code, 4);
    assert_eq!(output(&pane), "there\r\nback\r\n");
    bed.end().await;
}

#[tokio::test]
async fn errors_of_pipes_have_a_log_of_their_own() {
    let bed = Bed::new();
    let pane = bed.pipes("echo out; echo err >&2").await;
    exit(&pane).await;
    assert_eq!(all(pane.log(Stream::Output).unwrap()), b"out\n");
    assert_eq!(all(pane.log(Stream::Errors).unwrap()), b"err\n");
    bed.end().await;
}

#[tokio::test]
async fn closing_the_input_ends_cat_behind_pipes_after_what_was_written() {
    let bed = Bed::new();
    let pane = bed.pipes("cat").await;
    pane.write(b"one\ntwo").await.unwrap();
    pane.close_stdin().await.unwrap();
    assert_eq!(pane.write(b"late").await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(exit(&pane).await.success());
    assert_eq!(output(&pane), "one\ntwo");
    bed.end().await;
}

#[tokio::test]
async fn closing_the_input_ends_cat_behind_a_terminal_also_in_the_middle_of_a_line() {
    let bed = Bed::new();
    for typed in ["", "one\n", "one"] {
        let pane = bed.tty("stty -echo; echo ready; cat").await;
        until(&pane, "ready").await;
        pane.write(typed.as_bytes()).await.unwrap();
        pane.close_stdin().await.unwrap();
        assert!(exit(&pane).await.success());
        assert_eq!(output(&pane), format!("ready\r\n{}", typed.replace('\n', "\r\n")));
        assert_eq!(pane.write(b"late").await.unwrap_err().kind(), ErrorKind::Conflict);
    }
    bed.end().await;
}

#[tokio::test]
async fn eight_megabytes_go_through_cat_while_the_writer_waits_for_room() {
    let bed = Bed::new();
    let pane = bed.start(&PaneSpec { tty: false, ..bed.spec("exec cat") }).await;
    let piece = vec![b'x'; 64 * 1024];
    for _ in 0..128 {
        let written = async {
            while let Err(error) = pane.write(&piece).await {
                assert_eq!(error.kind(), ErrorKind::Overloaded);
                tokio::task::yield_now().await;
            }
        };
        within("room", written).await;
    }
    pane.close_stdin().await.unwrap();
    assert!(exit(&pane).await.success());
    assert_eq!(pane.log(Stream::Output).unwrap().len(), 128 * piece.len() as u64);
    bed.end().await;
}

#[tokio::test]
async fn a_process_that_does_not_read_overloads_its_pane_and_can_still_be_ended() {
    let bed = Bed::new();
    for tty in [true, false] {
        let script = "test -t 0 && stty raw -echo; echo ready; exec sleep 1000";
        let pane = bed.start(&PaneSpec { tty, ..bed.spec(script) }).await;
        until(&pane, "ready").await;
        let piece = [b'x'; 64 * 1024];
        let refused = loop {
            if let Err(refused) = pane.write(&piece).await {
                break refused;
            }
        };
        assert_eq!(refused.kind(), ErrorKind::Overloaded);
        assert!(refused.hint().unwrap().contains("orchflow pane read"));
        let status = within("the end", pane.kill(std::time::Duration::from_secs(5))).await;
        assert_eq!(status.status.and_then(|status| status.signal), Some(15));
    }
    bed.end().await;
}

#[tokio::test]
async fn a_resize_is_seen_by_the_program_and_by_the_screen() {
    let bed = Bed::new();
    let script = "trap 'stty size' WINCH; stty size; while :; do read line; done";
    let pane = bed.start(&PaneSpec { size: Size { cols: 90, rows: 20 }, ..bed.spec(script) }).await;
    until(&pane, "20 90\r\n").await;
    pane.resize(Size { cols: 101, rows: 31 }).await.unwrap();
    pane.write(b"\n").await.unwrap();
    until(&pane, "31 101\r\n").await;
    assert_eq!(pane.size(), Some(Size { cols: 101, rows: 31 }));
    bed.end().await;
}

#[tokio::test]
async fn pipes_have_no_size_and_an_ended_pane_takes_none() {
    let bed = Bed::new();
    let (pipes, tty) = (bed.pipes("exit 0").await, bed.tty("exit 0").await);
    assert_eq!(pipes.resize(Size::default()).await.unwrap_err().kind(), ErrorKind::Unsupported);
    exit(&tty).await;
    assert_eq!(tty.resize(Size::default()).await.unwrap_err().kind(), ErrorKind::Conflict);
    bed.end().await;
}

#[tokio::test]
async fn a_program_that_is_not_there_leaves_no_log() {
    let bed = Bed::new();
    let spec = PaneSpec { argv: vec!["no-such-program".into()], ..bed.spec("") };
    let error = bed.try_start(&spec).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProgramNotFound);
    assert_eq!(std::fs::read_dir(bed.output()).unwrap().count(), 0);
    bed.end().await;
}
