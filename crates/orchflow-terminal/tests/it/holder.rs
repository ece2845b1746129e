//! The holder at its door: managers that come and go, junk, loneliness.

use std::time::Duration;

use orchflow_runtime::{Supervisor, TaskKind};
use orchflow_terminal::{Pane, PaneSpec, muxd};
use orchflow_types::pane::Size;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::bed::{Bed, exit, output, until, wait_until, within};

/// What another manager makes of the one pane that is held.
async fn adopted(bed: &Bed) -> Pane {
    let another = Bed::manager(&bed.door, &bed.supervisor);
    let mut found = another.found().await.unwrap();
    assert_eq!(found.len(), 1);
    let found = found.remove(0);
    Pane::adopt(&found, String::new(), &bed.supervisor).unwrap()
}

#[tokio::test]
async fn the_next_manager_has_the_same_process_output_sizes_and_screen() {
    let bed = Bed::new();
    let script = "stty -echo; printf 'a long first line that will be wrapped by a narrow screen\\n'; \
                  read go; printf '\\033[2;5Hhere'; read go; exit 6";
    let first = bed.start(&PaneSpec { size: Size { cols: 60, rows: 5 }, ..bed.spec(script) }).await;
    until(&first, "screen").await;
    first.resize(Size { cols: 20, rows: 8 }).await.unwrap();
    first.write(b"\n").await.unwrap();
    until(&first, "here").await;
    let picture =
        |pane: &Pane| pane.screen(|screen| (screen.text(), screen.cursor(), screen.size()));
    wait_until("the screen", || picture(&first).is_some_and(|it| it.0.contains("here"))).await;
    let second = adopted(&bed).await;
    assert_eq!((second.pid(), second.size()), (first.pid(), first.size()));
    wait_until("the same screen", || picture(&second) == picture(&first)).await;
    assert_eq!(output(&second), output(&first));
    second.write(b"\n").await.unwrap();
    assert_eq!(exit(&second).await.code, 6);
    // The first was told that it is out of date; to it nobody saw the end.
    assert_eq!(within("its end", first.exit()).await.status, None);
    assert!(first.write(b"x").await.is_err());
    bed.end().await;
}

#[tokio::test]
async fn what_an_earlier_manager_answered_is_not_answered_again() {
    let bed = Bed::new();
    // It asks where the cursor is, and shows all it is told until it is let go.
    let script = "stty raw -echo; printf '\\033[6n'; dd bs=1 count=6 2>/dev/null | od -An -c; \
                  printf ready; dd bs=1 count=1 2>/dev/null | od -An -c; exit 0";
    let first = bed.start(&bed.spec(script)).await;
    until(&first, "ready").await;
    let second = adopted(&bed).await;
    wait_until("its screen", || {
        second.screen(|screen| screen.text()).is_some_and(|text| text.contains("ready"))
    })
    .await;
    second.write(b"z").await.unwrap();
    exit(&second).await;
    assert!(output(&second).trim_end().ends_with('z'), "{:?}", output(&second));
    bed.end().await;
}

#[tokio::test]
async fn junk_and_other_versions_are_turned_away_and_harm_no_pane() {
    let bed = Bed::new();
    let pane = bed.pipes("echo up; read line; exit 3").await;
    until(&pane, "up").await;
    for junk in
        [&b"orchflow-muxd 9\n"[..], b"GET / HTTP/1.1\r\n\r\n", b"orchflow-muxd 1\n\xff\xff\xff\xff"]
    {
        let mut stream = UnixStream::connect(&bed.door).await.unwrap();
        stream.write_all(junk).await.unwrap();
        let mut told = Vec::new();
        within("the end of junk", stream.read_to_end(&mut told)).await.unwrap();
        assert!(told.starts_with(b"orchflow-muxd 1\n"));
    }
    let again = adopted(&bed).await;
    again.write(b"\n").await.unwrap();
    assert_eq!(exit(&again).await.code, 3);
    bed.end().await;
}

#[tokio::test]
async fn a_holder_without_panes_and_without_a_manager_goes() {
    let bed = Bed::new();
    let door = bed.logs.path().join("lonely");
    let listener = UnixListener::bind(&door).unwrap();
    let holder = Supervisor::new();
    let serve = muxd::serve(listener, holder.clone(), Duration::from_millis(1));
    let served = holder.spawn(TaskKind::Vital, "muxd", serve);
    let manager = Supervisor::new();
    let muxd = Bed::manager(&door, &manager);
    let pane = muxd.spawn(bed.spec("exec sleep 1000")).await.unwrap();
    assert!(!served.is_finished());
    pane.kill(Duration::ZERO).await;
    pane.forget().await;
    assert!(muxd.found().await.unwrap().is_empty(), "with a manager it stays");
    assert!(!served.is_finished());
    let another = UnixStream::connect(&door).await.unwrap();
    drop(another);
    within("its end", served).await.unwrap();
    assert!(muxd.found().await.is_ok_and(|found| found.is_empty()));
    bed.end().await;
}
