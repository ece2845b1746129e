//! The screen of a real pane, and the answers it gives.

use orchflow_terminal::screen::Position;

use crate::bed::{Bed, exit, output, until};

#[tokio::test]
async fn the_screen_shows_what_a_terminal_would_and_keeps_what_scrolled_away() {
    let bed = Bed::new();
    let pane = bed.tty("seq 100; printf 'a\\rb\\033[2;5Hhere'").await;
    exit(&pane).await;
    let text = pane.screen(|screen| screen.text()).unwrap();
    let rows: Vec<_> = text.lines().collect();
    assert_eq!((rows.len(), rows[0], rows[1], rows[23]), (24, "78", "79  here", "b"));
    let (cursor, history) = pane.screen(|screen| (screen.cursor(), screen.history(2))).unwrap();
    assert_eq!((cursor, history), (Position { col: 8, row: 1 }, vec!["76".into(), "77".into()]));
    bed.end().await;
}

#[tokio::test]
async fn a_question_for_the_cursor_is_answered_once() {
    let bed = Bed::new();
    let script = "stty raw -echo; printf 'ab\\033[6n'; head -c 6 | od -An -c; echo ready; \
                  head -c 1 | od -An -c; stty sane";
    let pane = bed.tty(script).await;
    let text = until(&pane, "ready").await;
    let answer: Vec<_> = text.split_whitespace().collect();
    assert!(answer.windows(6).any(|words| words == ["033", "[", "1", ";", "3", "R"]), "{text:?}");
    // Had it been answered twice, the next byte to read were the second answer's.
    pane.write(b"!").await.unwrap();
    exit(&pane).await;
    assert!(output(&pane).trim_end().ends_with('!'), "{:?}", output(&pane));
    bed.end().await;
}
