//! Text that came from outside, as it may be shown to a person.

/// Whether a terminal would act on the character or an eye would miss it: control
/// characters, those that change the writing direction, invisible ones.
#[must_use]
pub fn is_hidden(symbol: char) -> bool {
    symbol.is_control()
        || matches!(symbol,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every hidden character spelled out (`\u{1b}`). Line breaks and tabs stay.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '\n' | '\t' => shown.push(symbol),
            symbol if is_hidden(symbol) => shown.extend(symbol.escape_unicode()),
            symbol => shown.push(symbol),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelled_out_and_lines_stay() {
        assert_eq!(escaped("a\0b\x1b[2J\u{202e}c\nd\te ü"), "a\\u{0}b\\u{1b}[2J\\u{202e}c\nd\te ü");
    }
}
