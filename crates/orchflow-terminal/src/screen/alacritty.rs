//! The screen model on `alacritty_terminal`.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alacritty_terminal::Term;
use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Flags, LineLength};
use alacritty_terminal::term::{Config, Osc52};
use alacritty_terminal::vte::ansi::{Processor, Timeout};
use orchflow_types::pane::Size;

use super::filter::Filter;
use super::{Position, Screen, possible};
use crate::ansi;

const HISTORY: usize = 10_000;

/// A [`Screen`] with 10,000 rows of history.
pub struct AlacrittyScreen {
    term: Term<Replies>,
    parser: Processor<AtOnce>,
    filter: Filter,
    replies: Replies,
}

impl AlacrittyScreen {
    /// An empty screen of the nearest [`possible`] size.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let config = Config {
            scrolling_history: HISTORY,
            // What runs in a pane may not reach the clipboard of whoever looks at it.
            osc52: Osc52::Disabled,
            ..Config::default()
        };
        let replies = Replies::default();
        Self {
            term: Term::new(config, &Cells(possible(size)), replies.clone()),
            parser: Processor::new(),
            filter: Filter::default(),
            replies,
        }
    }

    fn row(&self, line: Line) -> String {
        let row = &self.term.grid()[line];
        let mut text = String::new();
        for column in (0..row.line_length().0).map(Column) {
            let cell = &row[column];
            if cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
                continue;
            }
            // A tab is stored in the cell it started from; the cells after it are blank.
            text.push(if cell.c == '\t' { ' ' } else { cell.c });
            text.extend(cell.zerowidth().into_iter().flatten().filter(|c| ansi::is_shown(**c)));
        }
        text.truncate(text.trim_end().len());
        text
    }
}

impl Screen for AlacrittyScreen {
    fn feed(&mut self, bytes: &[u8]) {
        let Self { term, parser, filter, .. } = self;
        filter.pass(bytes, |piece| parser.advance(term, piece));
    }

    fn resize(&mut self, size: Size) {
        self.term.resize(Cells(possible(size)));
    }

    fn text(&self) -> String {
        let rows = i32::from(self.size().rows);
        (0..rows).map(|row| self.row(Line(row))).collect::<Vec<_>>().join("\n")
    }

    fn cursor(&self) -> Position {
        let point = self.term.grid().cursor.point;
        Position {
            col: u16::try_from(point.column.0).unwrap_or(u16::MAX),
            row: u16::try_from(point.line.0).unwrap_or(0),
        }
    }

    fn size(&self) -> Size {
        Size {
            cols: u16::try_from(self.term.columns()).unwrap_or(u16::MAX),
            rows: u16::try_from(self.term.screen_lines()).unwrap_or(u16::MAX),
        }
    }

    fn history(&self, count: usize) -> Vec<String> {
        let count = count.min(self.term.history_size());
        let top = i32::try_from(count).unwrap_or(i32::MAX);
        (-top..0).map(|line| self.row(Line(line))).collect()
    }

    fn replies(&mut self) -> Vec<u8> {
        mem::take(&mut *self.replies.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

// Queries whose answer depends on a window (colours, pixels) are left to the program's
// own timeout: there may be no window, or several that differ.
#[derive(Clone, Default)]
struct Replies(Arc<Mutex<Vec<u8>>>);

impl EventListener for Replies {
    fn send_event(&self, event: Event) {
        if let Event::PtyWrite(text) = event {
            let mut replies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            replies.extend_from_slice(text.as_bytes());
        }
    }
}

// Synchronized updates are applied as they come: the model is looked at now and then,
// never painted frame by frame, and so it needs no timer.
#[derive(Default)]
struct AtOnce;

impl Timeout for AtOnce {
    fn set_timeout(&mut self, _: Duration) {}
    fn clear_timeout(&mut self) {}
    fn pending_timeout(&self) -> bool {
        false
    }
}

struct Cells(Size);

impl Dimensions for Cells {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.0.cols)
    }
}
