//! `find`: what it runs on what it finds, what it deletes, what it writes.

use super::Runs;
use crate::policies::shell::Word;

const UNKNOWN: &str = "what `find` runs is known only when it runs";

/// What a `find` runs. `-delete` is read as `rm -d` of a file that
/// only running it tells.
pub(super) fn runs(words: &[Word]) -> Vec<Runs> {
    let mut found = Vec::new();
    let mut at = 1;
    while let Some(word) = words.get(at) {
        at += 1;
        match word.as_deref() {
            // It may be an action, and the end of one.
            None => found.push(Runs::Unclear(UNKNOWN)),
            Some("-exec" | "-execdir" | "-ok" | "-okdir") => {
                let end = words[at..].iter().position(ends).map_or(words.len(), |end| at + end);
                // Then this is the value of a test: `-name -exec -true -exec …`.
                if words.get(at).is_some_and(|word| {
                    word.as_ref().is_some_and(|word| word.starts_with(['-', '(', '!']))
                }) {
                    found.push(Runs::Unclear(UNKNOWN));
                    continue;
                }
                found.push(Runs::Command { at, words: filled(&words[at..end]) });
                at = end + 1;
            }
            Some("-delete") => {
                let words = vec![Some("rm".to_owned()), Some("-d".to_owned()), None];
                found.push(Runs::Command { at: at - 1, words });
            }
            Some("-fprint" | "-fprint0" | "-fls" | "-fprintf") => {
                found.push(Runs::Write(words.get(at).cloned().flatten()));
                at += 1;
            }
            Some(_) => {}
        }
    }
    found
}

fn ends(word: &Word) -> bool {
    matches!(word.as_deref(), Some(";" | "+"))
}

/// `{}` is a file's name, which nobody knows before.
fn filled(words: &[Word]) -> Vec<Word> {
    let known = |word: &Word| word.clone().filter(|word| !word.contains("{}"));
    words.iter().map(known).collect()
}
