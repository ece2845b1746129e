//! The log of a real pane: its bounds, its readers, its life after the pane.

use std::fmt::Write as _;

use orchflow_terminal::{Bounds, LogReader, PaneSpec, Stream};

use crate::bed::{Bed, all, exit, output, within};

#[tokio::test]
async fn of_forty_megabytes_the_head_and_the_tail_are_kept_and_the_gap_is_exact() {
    let bed = Bed::new();
    let bounds = Bounds { head: 10_000, tail: 1_000_000 };
    let script = "seq 100000000 | head -c 40000000";
    let pane = bed.start(&PaneSpec { tty: false, bounds, ..bed.spec(script) }).await;
    assert!(exit(&pane).await.success());
    let mut wanted = String::with_capacity(40_000_100);
    let mut number = 0;
    while wanted.len() < 40_000_000 {
        number += 1;
        let _ = writeln!(wanted, "{number}");
    }
    let wanted = &wanted.as_bytes()[..40_000_000];
    let log = pane.log(Stream::Output).unwrap();
    let gap = 10_000..39_000_000;
    assert_eq!((log.len(), log.summary().gaps), (40_000_000, Vec::from([gap])));
    let head = log.read(0, 1 << 20).unwrap();
    assert!(head.bytes == wanted[..10_000] && head.gap_before.is_none());
    let tail = log.read(10_000, 1 << 30).unwrap();
    assert_eq!((tail.offset, tail.gap_before), (39_000_000, Some(10_000..39_000_000)));
    assert!(tail.bytes == wanted[39_000_000..]);
    let size = std::fs::metadata(log.path()).unwrap().len();
    assert!(size < 1_010_000 + 100_000, "{size}");
    bed.end().await;
}

#[tokio::test]
async fn readers_that_follow_from_different_offsets_see_the_same_bytes() {
    let bed = Bed::new();
    let pane = bed.pipes("seq 200000").await;
    let follow = async |mut at: u64, step: usize| {
        let log = pane.log(Stream::Output).unwrap();
        let (from, mut seen) = (at, Vec::new());
        while log.wait_beyond(at).await {
            let chunk = log.read(at, step).unwrap();
            assert_eq!((chunk.offset, &chunk.gap_before), (at, &None));
            at += chunk.bytes.len() as u64;
            seen.extend(chunk.bytes);
        }
        (from, seen)
    };
    let readers =
        async { tokio::join!(follow(0, 1 << 20), follow(77, 4096), follow(500_000, 65536)) };
    let ((_, whole), second, third) = within("the readers", readers).await;
    assert!(whole == all(pane.log(Stream::Output).unwrap()) && whole.ends_with(b"\n200000\n"));
    for (from, seen) in [second, third] {
        assert!(seen == whole[usize::try_from(from).unwrap()..]);
    }
    bed.end().await;
}

#[tokio::test]
async fn the_log_of_a_finished_pane_opens_again_without_the_pane() {
    let bed = Bed::new();
    let spec = bed.spec("printf 'one\\ntwo\\n\\033[31mthree\\033[0m\\n\\n'");
    let pane = bed.start(&spec).await;
    exit(&pane).await;
    let live = output(&pane);
    let log = LogReader::open(&spec.log_path(Stream::Output)).unwrap();
    assert_eq!(String::from_utf8(all(&log)).unwrap(), live);
    assert_eq!(log.last_line().unwrap(), "three");
    assert_eq!(log.tail_lines(3).unwrap(), ["two", "three", ""]);
    assert!(!within("the end", log.wait_beyond(log.len())).await);
    bed.end().await;
}

#[tokio::test]
async fn a_full_disk_is_said_and_neither_ends_nor_blocks_the_pane() {
    let bed = Bed::new();
    let spec = bed.spec("seq 100000; echo done; exit 3");
    std::os::unix::fs::symlink("/dev/full", spec.log_path(Stream::Output)).unwrap();
    let pane = bed.start(&spec).await;
    assert_eq!(exit(&pane).await.code, 3);
    let summary = pane.log(Stream::Output).unwrap().summary();
    assert!(summary.failing.unwrap().contains("No space left"));
    let all = 0..summary.len;
    assert_eq!(summary.gaps, [all]);
    bed.end().await;
}
