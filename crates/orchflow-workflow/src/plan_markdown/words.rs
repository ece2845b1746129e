//! The words of a command: as a shell would quote them, or as a JSON array.

/// The words, quoted so that [`parse`] gives them back; empty when there are none.
pub(super) fn print(words: &[String]) -> String {
    let plain = |word: &String| !word.is_empty() && word.chars().all(is_plain);
    if words.iter().all(plain) {
        return words.join(" ");
    }
    serde_json::to_string(words).expect("a list of strings is JSON")
}

/// The words of a line.
///
/// # Errors
/// In words for a person: what is wrong and how to mend it.
pub(super) fn parse(line: &str) -> Result<Vec<String>, String> {
    if line.starts_with('[') {
        let words: Vec<String> = serde_json::from_str(line).map_err(|error| {
            format!("the command is not a JSON array of words ({error}): [\"cargo\", \"test\"]")
        })?;
        return if words.is_empty() {
            Err("the command has no words".to_owned())
        } else {
            Ok(words)
        };
    }
    let mut words = Vec::new();
    let mut chars = line.trim().chars().peekable();
    while chars.peek().is_some() {
        words.push(word(&mut chars)?);
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
    }
    Ok(words)
}

/// One word, up to white space that is not quoted.
fn word(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    const OPEN: &str = "a quote is not closed: add the second one";
    let mut word = String::new();
    while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
        match c {
            '\'' => loop {
                match chars.next().ok_or(OPEN)? {
                    '\'' => break,
                    c => word.push(c),
                }
            },
            '"' => loop {
                match chars.next().ok_or(OPEN)? {
                    '"' => break,
                    '\\' => match chars.next().ok_or(OPEN)? {
                        c @ ('"' | '\\' | '$' | '`') => word.push(c),
                        c => word.extend(['\\', c]),
                    },
                    c => word.push(c),
                }
            },
            '\\' => word.push(chars.next().ok_or("a backslash has nothing after it")?),
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' | '*' | '?' | '~' => {
                return Err(format!(
                    "no shell reads the command, so `{c}` would be a plain character: quote it \
                     (`'{c}'`) or, if a shell is wanted, write `sh -c '…'`"
                ));
            }
            c => word.push(c),
        }
    }
    Ok(word)
}

const fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '_' | '-' | '.' | '/' | ':' | '=' | '@' | '%' | '+' | ',')
}
