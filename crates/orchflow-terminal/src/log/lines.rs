//! The end of a log as lines of plain text.

use super::LogReader;
use crate::{Error, ansi};

const LAST_LINE_CHARS: usize = 200;

/// The last `count` lines.
pub(super) fn tail(log: &LogReader, count: usize) -> Result<Vec<String>, Error> {
    const FARTHEST: u64 = 1024 * 1024;
    let mut back = 16 * 1024;
    loop {
        let text = text(log, back)?;
        let mut lines: Vec<&str> = text.lines().collect();
        let all = back >= FARTHEST || back >= log.len();
        if all || lines.len() > count {
            let lines = lines.split_off(lines.len().saturating_sub(count));
            return Ok(lines.into_iter().map(str::to_owned).collect());
        }
        back *= 4;
    }
}

/// The last line with something on it.
pub(super) fn last(log: &LogReader) -> Result<String, Error> {
    let text = text(log, 64 * 1024)?;
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    Ok(line.chars().take(LAST_LINE_CHARS).collect())
}

// The last `back` bytes as text. What was cut through, a line or an escape sequence, is
// left out, unless all of it is one line.
fn text(log: &LogReader, back: u64) -> Result<String, Error> {
    let end = log.len();
    let mut bytes = Vec::new();
    let mut at = end.saturating_sub(back);
    while at < end {
        let chunk = log.read(at, usize::try_from(end - at).unwrap_or(usize::MAX))?;
        if chunk.gap_before.is_some() {
            bytes.clear();
        }
        at = chunk.offset + chunk.bytes.len() as u64;
        if chunk.bytes.is_empty() {
            break;
        }
        bytes.extend(chunk.bytes);
    }
    let first = at - bytes.len() as u64;
    let newline = bytes.iter().position(|byte| *byte == b'\n');
    let whole = match newline {
        Some(newline) if first > 0 => &bytes[newline + 1..],
        _ => &bytes[..],
    };
    Ok(ansi::plain(if whole.is_empty() { &bytes } else { whole }))
}
