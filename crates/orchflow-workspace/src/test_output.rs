//! Reads what test tools print: how many passed, and the names of those that did not.
//!
//! The exit code says whether the tests are green; this only says which are red. Output
//! that does not look like the tool's is no summary, not a guess.

mod cargo;
mod node;
mod python;

#[cfg(test)]
mod tests;

use orchflow_types::project::TestSummary;

/// The most names of failing tests that are kept.
const NAMES: usize = 100;

/// What a tool's output says; `framework` is spelled as in
/// [`orchflow_types::project::ProjectCommand::framework`]. None when the tool got to no
/// result (it did not compile), or when this is not its output.
#[must_use]
pub fn summarise(framework: &str, output: &str) -> Option<TestSummary> {
    let text = without_colours(output);
    let mut summary = match framework {
        "cargo-test" => cargo::test(&text),
        "nextest" => cargo::nextest(&text),
        "pytest" => python::pytest(&text),
        "unittest" => python::unittest(&text),
        "node-test" => node::node_test(&text),
        "jest" => node::jest(&text),
        "vitest" => node::vitest(&text),
        "mocha" => node::mocha(&text),
        // A script of a package: any of these may be behind it.
        "npm" | "pnpm" | "yarn" => node::vitest(&text)
            .or_else(|| node::jest(&text))
            .or_else(|| node::node_test(&text))
            .or_else(|| node::mocha(&text)),
        _ => None,
    }?;
    let mut seen = std::collections::BTreeSet::new();
    summary.failing.retain(|name| seen.insert(name.clone()));
    summary.failing.truncate(NAMES);
    Some(summary)
}

/// The text without escape sequences and with plain line ends.
fn without_colours(output: &str) -> String {
    let mut text = String::with_capacity(output.len());
    let mut letters = output.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' if letters.next_if_eq(&'[').is_some() => {
                // A control sequence ends with a letter from `@` to `~` (ECMA-48, 5.4).
                for end in letters.by_ref() {
                    if ('@'..='~').contains(&end) {
                        break;
                    }
                }
            }
            '\r' if letters.peek() == Some(&'\n') => {}
            '\r' => text.push('\n'),
            letter => text.push(letter),
        }
    }
    text
}

/// The numbers of a list such as `2 failed, 1 passed`, by the word after each.
fn counts(list: &str, separator: char) -> Vec<(u32, &str)> {
    let count = |part: &str| -> Option<u32> { part.split_whitespace().next()?.parse().ok() };
    let word = |part| str::trim(part).split_once(' ').map_or("", |(_, word)| word.trim());
    list.split(separator).filter_map(|part| Some((count(part)?, word(part)))).collect()
}

/// The sum of the numbers before any of these words.
fn sum(counts: &[(u32, &str)], words: &[&str]) -> u32 {
    counts.iter().filter(|(_, word)| words.contains(word)).map(|(count, _)| count).sum()
}
