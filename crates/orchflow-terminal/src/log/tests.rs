//! The log itself: every bound, wrong files, failing writes, a writer that died.

use std::fs::File;

use proptest::prelude::*;

use super::*;
use crate::Error;

struct Bed {
    dir: tempfile::TempDir,
}

impl Bed {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("pane.log")
    }

    fn log(&self, head: u64, tail: u64) -> LogWriter {
        LogWriter::create(&self.path(), Bounds { head, tail }).unwrap()
    }

    fn with(&self, text: &str) -> LogReader {
        let mut log = self.log(1 << 20, 1 << 20);
        log.append(text.as_bytes());
        log.reader()
    }
}

fn at(range: Range<u64>) -> Range<usize> {
    usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()
}

/// Checks that everything outside the gaps reads back as it was written.
fn check(log: &LogReader, wanted: &[u8], step: usize) {
    let (mut offset, mut gaps) = (0, Vec::new());
    while offset < log.len() {
        let chunk = log.read(offset, step).unwrap();
        gaps.extend(chunk.gap_before);
        let end = chunk.offset + chunk.bytes.len() as u64;
        assert_eq!(chunk.bytes, wanted[at(chunk.offset..end)]);
        assert!(end > offset);
        offset = end;
    }
    assert_eq!(offset, wanted.len() as u64);
    assert_eq!(gaps, log.summary().gaps);
}

proptest! {
    #[test]
    fn whatever_is_outside_the_gap_reads_back_as_it_was_written(
        head in 0_u64..300, tail in 1_u64..5000, step in 1_usize..3000,
        sizes in prop::collection::vec(0_usize..40_000, 0..12),
    ) {
        let bed = Bed::new();
        let mut log = bed.log(head, tail);
        let mut wanted = Vec::new();
        for (index, size) in sizes.into_iter().enumerate() {
            let piece: Vec<u8> = (0..size).map(|at| ((at * 31) ^ (index * 7) ^ (at >> 8)) as u8).collect();
            log.append(&piece);
            wanted.extend(piece);
            check(&log.reader(), &wanted, step);
        }
        let len = wanted.len() as u64;
        let gap = (len.saturating_sub(tail) > head).then(|| head..len - tail);
        prop_assert_eq!(log.reader().summary().gaps, Vec::from_iter(gap));
        drop(log);
        check(&LogReader::open(&bed.path()).unwrap(), &wanted, step);
    }
}

#[test]
fn a_log_that_is_made_again_goes_on_where_it_was() {
    let bed = Bed::new();
    bed.log(10, 20).append(&[b'a'; 50]);
    bed.log(10, 20).append(&[b'b'; 5]);
    let log = LogReader::open(&bed.path()).unwrap();
    let gap = 10..35;
    assert_eq!((log.len(), log.summary().gaps), (55, Vec::from([gap])));
    assert_eq!(log.read(35, 100).unwrap().bytes, b"aaaaaaaaaaaaaaabbbbb");
}

#[test]
fn a_write_that_was_cut_by_the_death_of_the_writer_damages_nothing_it_had_counted() {
    let bed = Bed::new();
    let mut log = bed.log(10, 1000);
    let wanted: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
    log.append(&wanted);
    let header = std::fs::read(bed.path()).unwrap()[..1024].to_vec();
    // The bytes of one more write are there, its header is not.
    log.append(&[0xff; 64 * 1024]);
    std::os::unix::fs::FileExt::write_all_at(&log.file, &header, 0).unwrap();
    check(&LogReader::open(&bed.path()).unwrap(), &wanted, 777);
}

#[test]
fn what_cannot_be_written_is_a_gap_and_the_offsets_go_on() {
    let bed = Bed::new();
    let mut log = bed.log(100, 1000);
    let reader = log.reader();
    log.append(b"before ");
    let good = std::mem::replace(&mut log.file, File::open(bed.path()).unwrap());
    log.append(b"lost ");
    assert!(reader.summary().failing.is_some());
    let end = reader.read(7, 100).unwrap();
    assert_eq!((end.offset, end.bytes.len(), end.gap_before), (12, 0, Some(7..12)));
    log.file = good;
    log.append(b"after");
    drop(log);
    for log in [reader, LogReader::open(&bed.path()).unwrap()] {
        assert_eq!(log.summary().failing, None);
        assert_eq!(log.read(0, 100).unwrap().bytes, b"before ");
        let after = log.read(7, 100).unwrap();
        assert_eq!((after.bytes, after.gap_before), (b"after".to_vec(), Some(7..12)));
    }
}

#[test]
fn many_lost_ranges_are_told_as_fewer_that_hold_them_all() {
    let mut progress = Progress::new(Bounds::default());
    progress.len = u64::MAX;
    let large = u64::MAX - 1000;
    (0..20).for_each(|at| progress.lose(large + at * 10..large + at * 10 + 1));
    assert_eq!(progress.lost.len(), 8);
    assert_eq!(progress.lost.last(), Some(&(large + 70..large + 191)));
    let header = progress.header();
    assert_eq!(header.len(), 1024);
    assert_eq!(Progress::parse(&header).unwrap(), progress);
}

#[test]
fn another_file_is_refused_and_a_missing_one_is_said_to_be_missing() {
    let bed = Bed::new();
    assert!(matches!(LogReader::open(&bed.path()), Err(Error::Log { .. })));
    for other in ["short".to_owned(), "x".repeat(5000)] {
        std::fs::write(bed.path(), other).unwrap();
        assert!(matches!(LogReader::open(&bed.path()), Err(Error::NotALog { .. })));
    }
}

#[test]
fn a_reader_past_the_end_gets_nothing() {
    let bed = Bed::new();
    let chunk = bed.with("abc").read(10, 100).unwrap();
    assert_eq!(chunk, Chunk { offset: 3, bytes: Vec::new(), gap_before: None });
}

#[test]
fn the_last_line_is_the_last_with_something_on_it() {
    let bed = Bed::new();
    let log = bed.with("one\r\n10%\r\x1b[32m55%\x1b[0m\r\n  \r\n\r\n");
    assert_eq!(log.last_line().unwrap(), "55%");
    assert_eq!(bed.with("").last_line().unwrap(), "55%");
}

#[test]
fn the_last_line_is_at_most_200_characters_of_a_line_without_end() {
    let bed = Bed::new();
    let log = bed.with(&"\u{e4}".repeat(100_000));
    assert_eq!(log.last_line().unwrap().chars().count(), 200);
}

#[test]
fn the_last_lines_are_found_however_far_back_they_begin() {
    let bed = Bed::new();
    let lines: Vec<String> = (0..20_000).map(|line| format!("line {line}")).collect();
    let log = bed.with(&lines.join("\n"));
    assert_eq!(log.tail_lines(2).unwrap(), lines[19_998..]);
    assert_eq!(log.tail_lines(15_000).unwrap(), lines[5000..]);
    assert_eq!(log.tail_lines(30_000).unwrap(), lines);
}

#[tokio::test]
async fn a_reader_that_overtakes_the_tail_reads_on_while_it_is_written() {
    let bed = Bed::new();
    let mut log = bed.log(100, 10_000);
    let reader = log.reader();
    let writer = std::thread::spawn(move || {
        for round in 0..3000_u64 {
            let piece: Vec<u8> = (0..1000).map(|at| ((round * 1000 + at) % 251) as u8).collect();
            log.append(&piece);
        }
    });
    let mut at = 0;
    while reader.wait_beyond(at).await {
        let chunk = reader.read(at, 3000).unwrap();
        for (index, byte) in chunk.bytes.iter().enumerate() {
            assert_eq!(u64::from(*byte), (chunk.offset + index as u64) % 251);
        }
        assert_eq!(chunk.gap_before.map_or(at, |gap| gap.end), chunk.offset);
        at = chunk.offset + chunk.bytes.len() as u64;
    }
    writer.join().unwrap();
    assert_eq!(at, 3_000_000);
}
