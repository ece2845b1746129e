//! What tests should be about: found in the words, shortened, put into a tool's own terms.

use orchflow_types::project::ProjectCommand;

use super::words::{Word, asks_to_run, is_filler, is_preposition, is_whole_project, weight};

/// What the tests should be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    /// As it was written.
    pub(crate) written: String,
    /// What to look for in the names of tests.
    pub(crate) stem: String,
}

/// The subject of "tests for authentication", of "the auth tests", of "test the login".
pub(super) fn subject(words: &[Word], negated: &[bool]) -> Option<Subject> {
    let speaks_of_tests = |(at, word): (usize, &Word)| {
        word.quote.is_none() && !negated[at] && weight(&word.text).is_some()
    };
    let tests = words.iter().enumerate().position(speaks_of_tests)?;
    let means = |word: &&Word| word.quote.is_some() || means_something(&word.text);
    // What is said before comes close to the word itself: "the auth tests".
    let before =
        words[..tests].iter().rev().take_while(|word| !asks_to_run(&word.text)).find(means);
    let after = || named_after(words, negated, tests);
    let word = after().or(before)?;
    let stem = if word.quote.is_some() || !word.text.chars().all(char::is_alphabetic) {
        word.written.clone()
    } else {
        shortened(&word.text)
    };
    Some(Subject { written: word.written.clone(), stem })
}

/// What follows "tests": after a preposition, in quotes, spelled as names are, or right
/// after the verb "test". Anything else says how to run them, not which.
fn named_after<'a>(words: &'a [Word], negated: &[bool], tests: usize) -> Option<&'a Word> {
    let is_verb =
        words[..tests].iter().all(|word| is_filler(&word.text)) && words[tests].text == "test";
    let mut named = is_verb;
    for (word, no) in words[tests + 1..].iter().zip(&negated[tests + 1..]) {
        if *no || word.text == "and" {
            return None;
        }
        let name = word.quote.is_some()
            || word.written.contains(['_', '/'])
            || word.written.contains("::");
        if name || named && means_something(&word.text) {
            return Some(word);
        }
        named |= matches!(
            word.text.as_str(),
            "for"
                | "of"
                | "about"
                | "around"
                | "covering"
                | "on"
                | "in"
                | "to"
                | "named"
                | "called"
        );
    }
    None
}

fn means_something(word: &str) -> bool {
    const HOW: &str = " failing failed broken red related suite suites only case cases end-to-end \
        end there before after committing existing have has not no without make logic flow \
        parallel ci linux macos windows docker times order ";
    let state = HOW.split_ascii_whitespace().any(|one| one == word);
    let is_number = !word.contains(char::is_alphabetic);
    !(state
        || is_number
        || weight(word).is_some()
        || is_filler(word)
        || is_whole_project(word)
        || is_preposition(word)
        || asks_to_run(word))
}

/// The part of a word that its relatives share, so that "authentication" finds `auth_ok`.
/// It is always a beginning of the word, and never shorter than four letters.
fn shortened(word: &str) -> String {
    const KNOWN: [(&str, &str); 8] = [
        ("authenti", "auth"),
        ("authori", "auth"),
        ("configur", "config"),
        ("administrat", "admin"),
        ("repositor", "repo"),
        ("document", "doc"),
        ("synchroni", "sync"),
        ("initiali", "init"),
    ];
    const ENDINGS: [&str; 8] =
        ["izations", "ization", "ations", "ation", "ings", "ing", "ies", "s"];
    if let Some((_, short)) = KNOWN.iter().find(|(long, _)| word.starts_with(long)) {
        return (*short).to_owned();
    }
    let kept = |ending: &str| {
        let kept = word.strip_suffix(ending)?;
        (kept.len() >= 4 && !(ending == "s" && kept.ends_with('s'))).then_some(kept)
    };
    ENDINGS.iter().find_map(|ending| kept(ending)).unwrap_or(word).to_owned()
}

/// The command with the tool's own filter, and what was done, for a reason.
pub(crate) fn filtered(command: &ProjectCommand, subject: &Subject) -> (Vec<String>, String) {
    let stem = subject.stem.clone();
    let is_path = stem.contains('/');
    let filter: Vec<String> = match command.framework.as_str() {
        "pytest" | "jest" | "vitest" if is_path => vec![stem.clone()],
        _ if is_path => Vec::new(),
        "cargo-test" | "nextest" => vec![stem.clone()],
        "pytest" | "unittest" => vec!["-k".into(), stem.clone()],
        "jest" | "vitest" => vec!["-t".into(), stem.clone()],
        "node-test" => vec!["--test-name-pattern".into(), stem.clone()],
        "mocha" | "npm" | "pnpm" | "yarn" => vec!["--grep".into(), stem.clone()],
        _ => Vec::new(),
    };
    if filter.is_empty() {
        let how = format!("; it has no filter for \"{}\", so all tests run", subject.written);
        return (command.argv.clone(), how);
    }
    let short = if stem == subject.written {
        String::new()
    } else {
        format!(", shortened from \"{}\"", subject.written)
    };
    (with(command, filter), format!("; filtered by \"{stem}\"{short}"))
}

/// Puts a filter where the tool reads it: before what is passed through by `--`, except
/// for npm, which passes its own script's words only behind one.
fn with(command: &ProjectCommand, filter: Vec<String>) -> Vec<String> {
    let mut argv = command.argv.clone();
    let passes = argv.iter().position(|word| word == "--");
    let npm = argv.first().is_some_and(|word| word == "npm");
    match (npm, passes) {
        (true, None) => {
            argv.push("--".into());
            argv.extend(filter);
        }
        (false, Some(at)) => drop(argv.splice(at..at, filter)),
        // Node reads its own options before the first file only.
        (false, None) if argv.first().is_some_and(|word| word == "node") => {
            drop(argv.splice(1..1, filter));
        }
        _ => argv.extend(filter),
    }
    argv
}
