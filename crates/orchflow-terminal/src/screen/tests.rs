//! The screen model: any cut of the stream, wrong bytes, endless commands.

use orchflow_types::pane::Size;
use proptest::prelude::*;

use super::*;

const SIZE: Size = Size { cols: 40, rows: 10 };

fn shown(pieces: &[&[u8]]) -> (String, Position, Vec<String>, Vec<u8>) {
    let mut screen = AlacrittyScreen::new(SIZE);
    pieces.iter().for_each(|piece| screen.feed(piece));
    let replies = screen.replies();
    (screen.text(), screen.cursor(), screen.history(100), replies)
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..12),
        "[a-z \u{e4}\u{6f22}\u{1f980}]{0,20}".prop_map(String::into_bytes),
        (0_u16..60, 0_u16..60).prop_map(|(row, col)| format!("\x1b[{row};{col}H").into_bytes()),
        prop::sample::select(vec![
            &b"\r\n"[..],
            b"\x1b[2J",
            b"\x1b[6n",
            b"\x1b[c",
            b"\x1b[?1049h",
            b"\x1b[?1049l",
            b"\x1b[K",
            b"\x1b]0;title\x07",
            b"\x1bM",
            b"\x1b[?2026h",
            b"\x1b[?2026l",
            b"\x1b[38;5;1m",
            b"\t",
            b"\xe6\xbc",
        ])
        .prop_map(<[u8]>::to_vec),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_stream_cut_at_any_byte_gives_the_same_screen_and_the_same_answers(
        fragments in prop::collection::vec(fragment(), 1..12),
    ) {
        let bytes = fragments.concat();
        let whole = shown(&[&bytes]);
        for cut in 0..=bytes.len() {
            let (before, after) = bytes.split_at(cut);
            prop_assert_eq!(&shown(&[before, after]), &whole);
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&shown(&single), &whole);
    }

    #[test]
    fn no_order_of_output_and_sizes_brings_the_screen_down(
        steps in prop::collection::vec((fragment(), 0_u16..70, 0_u16..30), 1..12),
    ) {
        let mut screen = AlacrittyScreen::new(SIZE);
        for (bytes, cols, rows) in steps {
            screen.feed(&bytes);
            screen.resize(Size { cols, rows });
            prop_assert_eq!(screen.size(), possible(Size { cols, rows }));
            prop_assert_eq!(screen.text().split('\n').count(), usize::from(screen.size().rows));
        }
    }
}

#[test]
fn a_character_cut_in_two_takes_nothing_with_it() {
    let (text, ..) = shown(&[b"\xc3", b"\xa4a\xe6\xbc", b"\xa2b\xe6", b"", b"c"]);
    assert_eq!(text.lines().next(), Some("\u{e4}a\u{6f22}b\u{FFFD}c"));
}

#[test]
fn bytes_that_are_no_utf8_are_shown_as_such_and_cost_nothing_else() {
    let (text, ..) = shown(&[b"a\xff\xfeb\xc3(c"]);
    assert_eq!(text.lines().next(), Some("a\u{FFFD}\u{FFFD}b\u{FFFD}(c"));
}

#[test]
fn a_question_is_answered_once_and_a_taken_answer_is_gone() {
    let mut screen = AlacrittyScreen::new(SIZE);
    screen.feed(b"abc\x1b[6n");
    assert_eq!(screen.replies(), b"\x1b[1;4R");
    assert_eq!(screen.replies(), b"");
}

#[test]
fn history_is_what_scrolled_off_and_no_more() {
    let lines: Vec<String> = (0..30).map(|line| format!("line {line}")).collect();
    let mut screen = AlacrittyScreen::new(SIZE);
    screen.feed(lines.join("\r\n").as_bytes());
    assert_eq!(screen.history(3), ["line 17", "line 18", "line 19"]);
    assert_eq!(screen.history(1000).len(), 20);
    assert!(screen.text().starts_with("line 20\n"));
}

#[test]
fn a_command_without_end_is_cut_and_what_follows_is_shown() {
    let mut screen = AlacrittyScreen::new(SIZE);
    screen.feed(b"before\x1b]0;");
    for _ in 0..100 {
        screen.feed(&[b'x'; 1000]);
    }
    screen.feed(b"\x07after");
    assert_eq!(screen.text().lines().next(), Some("beforeafter"));
    screen.feed(b"\x1b]0;");
    screen.feed(&[b'x'; 100_000]);
    screen.feed(b"\x1b[2Jend");
    assert!(screen.text().lines().next().unwrap().ends_with("end"));
}
