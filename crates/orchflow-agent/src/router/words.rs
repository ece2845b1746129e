//! Words: cut out of a sentence, and what each of them says of the work.

use orchflow_types::AgentType;

/// One word of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case, without punctuation around it.
    pub(super) text: String,
    /// As it was written.
    pub(super) written: String,
    /// The quote around it, if there is one; then it is a name.
    pub(super) quote: Option<char>,
    /// Whether a mark of punctuation follows.
    pub(super) stop: bool,
}

/// The words of a sentence.
pub(super) fn words(input: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut rest = input.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some((inner, after)) = quoted(rest, first) {
            let stop = after.starts_with([',', ';', '.', '!', '?', ':']);
            let (text, written) = (inner.to_lowercase(), inner.to_owned());
            found.push(Word { text, written, quote: Some(first), stop });
            rest = after.trim_start();
            continue;
        }
        let end =
            rest.find(|c: char| c.is_whitespace() || ",;!?()".contains(c)).unwrap_or(rest.len());
        let (raw, after) = rest.split_at(end);
        let written = raw.trim_matches(|c: char| ".:\"'`“”".contains(c));
        let stop = raw.ends_with(['.', ':']) || after.starts_with([',', ';', '!', '?', ')', '(']);
        if written.is_empty() {
            if let Some(last) = found.last_mut() {
                last.stop |= stop;
            }
        } else {
            let text = written.to_lowercase().replace('’', "'");
            found.push(Word { text, written: written.to_owned(), quote: None, stop });
        }
        rest = after.trim_start_matches(|c: char| c.is_whitespace() || ",;!?()".contains(c));
    }
    found
}

/// A quoted name at the beginning of the text, and what follows it. An apostrophe within
/// a word opens no quote.
fn quoted(text: &str, first: char) -> Option<(&str, &str)> {
    let close = match first {
        '"' | '`' | '\'' => first,
        '“' => '”',
        _ => return None,
    };
    let inner = &text[first.len_utf8()..];
    let end = inner.find(close)?;
    (end > 0).then(|| (&inner[..end], &inner[end + close.len_utf8()..]))
}

/// The type of work a word speaks of, and how plainly.
pub(super) fn weight(word: &str) -> Option<(AgentType, f64)> {
    use AgentType::{Build, Format, Lint, Repl, Test};
    Some(match word.replace('-', "").as_str() {
        "test" | "tests" | "testing" | "unittest" | "unittests" => (Test, 3.0),
        "pytest" | "jest" | "vitest" | "mocha" | "nextest" => (Test, 3.5),
        "spec" | "specs" => (Test, 2.0),
        "suite" | "coverage" | "e2e" => (Test, 1.5),
        "build" | "builds" | "building" | "rebuild" | "compile" | "compiles" | "compiling"
        | "recompile" | "compilation" => (Build, 3.0),
        "bundle" | "transpile" | "assemble" => (Build, 2.0),
        "lint" | "lints" | "linter" | "linters" | "linting" | "typecheck" | "typechecker"
        | "typechecking" => (Lint, 3.0),
        "clippy" | "eslint" | "ruff" | "flake8" | "pylint" | "mypy" | "pyright" => (Lint, 3.5),
        "style" | "warnings" => (Lint, 1.5),
        "format" | "formatting" | "formatter" | "formatters" | "reformat" | "prettify"
        | "beautify" => (Format, 3.0),
        "prettier" | "rustfmt" | "fmt" | "gofmt" | "isort" => (Format, 3.5),
        "indentation" | "indent" => (Format, 1.5),
        "repl" => (Repl, 3.0),
        "shell" | "console" => (Repl, 1.5),
        _ => return None,
    })
}

/// Verbs that ask for a change.
pub(super) fn asks_for_change(word: &str) -> bool {
    const VERBS: &str = " add implement create write fix refactor rename change remove delete \
        update improve make support introduce replace extract move convert migrate upgrade port \
        optimise optimize debug document simplify rewrite clean extend handle investigate design \
        resolve solve correct repair mend modify edit adjust bump enable disable drop split merge \
        speed reduce increase set wire hook use allow prevent let generate configure cover \
        deduplicate inline expose cache log validate translate restructure finish complete ";
    listed(VERBS, word)
}

/// Verbs that ask a tool to mend what it finds.
pub(super) fn asks_to_mend(word: &str) -> bool {
    listed(" fix autofix repair mend correct resolve clean apply ", word)
}

/// Verbs that ask for something to be run.
pub(super) fn asks_to_run(word: &str) -> bool {
    const VERBS: &str = " run rerun re-run execute check verify ensure confirm start launch \
        perform do invoke try see show use tell report list print ";
    listed(VERBS, word)
}

/// Words that turn tools into what a change is about: "the linter's configuration".
pub(super) fn is_about_tools(word: &str) -> bool {
    const NOUNS: &str = " config configuration setup script scripts step steps ci rule rules \
        workflow pipeline job jobs bug bugs feature function class endpoint page api readme \
        fixture fixtures helper framework library ";
    listed(NOUNS, word)
}

/// Words that name the project as a whole, or say nothing of what is meant.
pub(super) fn is_whole_project(word: &str) -> bool {
    const NOUNS: &str = " project code codebase source sources file files everything all it app \
        application release debug binary binaries crate crates package packages workspace repo \
        repository again docs production frontend backend server client module modules imports \
        errors error issues issue problems problem failures failure checks check mode whole entire full complete new \
        latest current changed target artifacts artifact commands command rust python typescript \
        javascript node ts js cargo npm pnpm yarn auto automatically properly passes pass passing \
        succeeds succeed works work clean ok okay green fine still first once more too also well \
        up out them this that these those any every each unit integration fast slow quick quickly \
        types type static analysis violations complaints findings finds \
        committing pushing merging fails fail failed failing broken ";
    listed(NOUNS, word)
}

/// Words that carry no meaning here.
pub(super) fn is_filler(word: &str) -> bool {
    const WORDS: &str = " please can could you we i want to would like need should must then and or \
        first finally next now just also lastly let's lets the a an my our your its is are be \
        so that if sure whether it's kindly go ahead what it they me us ";
    listed(WORDS, word)
}

/// Words after which a place or a subject follows.
pub(super) fn is_preposition(word: &str) -> bool {
    listed(" in for of on from under within across about around covering against with by at ", word)
}

/// Words that say what is not wanted.
pub(super) fn negates(word: &str) -> bool {
    listed(" not don't dont without no skip never except excluding avoid omit nor doesn't ", word)
}

/// Words at which a negation ends.
pub(super) fn ends_negation(word: &str) -> bool {
    listed(" but just only instead then ", word)
}

fn listed(list: &str, word: &str) -> bool {
    !word.is_empty() && list.split_ascii_whitespace().any(|one| one == word)
}
