//! Markdown on a terminal: headings and marks set apart, everything else as it is. In a
//! file or a pipe it stays Markdown.

use crate::output::{Output, Style, visible};

/// Prints Markdown to stdout.
pub(crate) fn markdown(out: Output, text: &str) {
    for line in visible(text).lines() {
        out.line(styled(out, line));
    }
}

fn styled(out: Output, line: &str) -> String {
    if line.starts_with("# ") || line.starts_with("## ") {
        let style = if line.contains('✓') {
            Style::Green
        } else if line.contains('✗') {
            Style::Red
        } else {
            Style::Bold
        };
        out.paint(style, line)
    } else if line.starts_with("> ") {
        out.paint(Style::Yellow, line)
    } else if line.starts_with("```") {
        out.paint(Style::Dim, line)
    } else {
        line.to_owned()
    }
}
