//! Programs that read code: a script file is the user's own matter, code among the words is not.

use super::options::{Options, lists};
use super::{CODE, Runs};
use crate::policies::shell::Word;

/// Python's modules that run the text they are given, or what they are told to read.
const RUNS_TEXT: &str = "timeit code codeop pdb bdb profile cProfile trace runpy asyncio idlelib";

/// An interpreter: options that are known, then a script. A module it is told to run is as
/// good as a script.
pub(super) fn interpreter(
    words: &[Word],
    options: &Options,
    module: Option<&str>,
    complete: &str,
) -> Vec<Runs> {
    if is_plain(words, options, module, complete) { Vec::new() } else { vec![Runs::Unclear(CODE)] }
}

fn is_plain(words: &[Word], options: &Options, module: Option<&str>, complete: &str) -> bool {
    let (mut at, mut is_complete) = (1, false);
    while let Some(word) = words.get(at) {
        let Some(word) = word.as_deref() else { return false };
        if lists(complete, word) {
            is_complete = true;
            at += 1;
        } else if let Some(rest) = module.and_then(|option| word.strip_prefix(option)) {
            let name = if rest.is_empty() {
                words.get(at + 1).cloned().flatten()
            } else {
                Some(rest.into())
            };
            return name.is_some_and(|name| !lists(RUNS_TEXT, &name));
        } else if !word.starts_with('-') {
            // Code that comes in is code among the words.
            return !["/dev/", "/proc/"].iter().any(|inputs| word.starts_with(inputs));
        } else {
            match options.width(word) {
                // Not every program takes an option for a value.
                Some(2) if words.get(at + 1).is_some_and(is_option) => return false,
                Some(width) if word != "-" => at += width,
                _ => return false,
            }
        }
    }
    is_complete
}

fn is_option(word: &Word) -> bool {
    word.as_ref().is_none_or(|word| word.starts_with('-'))
}

/// A program of awk, where it can neither run nor write anything.
pub(super) fn awk(words: &[Word]) -> Vec<Runs> {
    let options = Options { alone: "", valued: "-F -v --field-separator --assign" };
    let text = options.end(words, 1).and_then(|at| words.get(at).cloned().flatten());
    let steers = |text: &String| {
        text.contains(['|', '>', '@']) || text.contains("system") || text.contains("getline")
    };
    match text {
        Some(text) if !steers(&text) => Vec::new(),
        _ => vec![Runs::Unclear(CODE)],
    }
}

/// A script of sed, where it is one substitution or one of the commands that only print.
pub(super) fn sed(words: &[Word]) -> Vec<Runs> {
    let alone = "-n -E -r -s -u -z -i --quiet --silent --regexp-extended --separate --unbuffered \
                 --null-data --in-place";
    let options = Options { alone, valued: "" };
    let (mut at, mut scripts) = (1, Vec::new());
    while let Some(Some(word)) = words.get(at) {
        if word == "-e" || word == "--expression" {
            scripts.push(words.get(at + 1).cloned().flatten());
            at += 2;
        } else if word.starts_with('-') && options.width(word).is_some() {
            at += 1;
        } else {
            break;
        }
    }
    if scripts.is_empty() {
        scripts.push(words.get(at).cloned().flatten());
        at += 1;
    }
    // sed takes options behind its files, too.
    let late = words.iter().skip(at).any(is_option);
    let plain = |script: &Option<String>| script.as_deref().is_some_and(is_plain_sed);
    if !late && scripts.iter().all(plain) { Vec::new() } else { vec![Runs::Unclear(CODE)] }
}

fn is_plain_sed(script: &str) -> bool {
    let command =
        script.trim_start_matches(|sign: char| sign.is_ascii_digit() || ",$".contains(sign));
    if matches!(command, "p" | "d" | "q" | "=" | "!d" | "!p") {
        return true;
    }
    let Some(rest) = command.strip_prefix('s') else { return false };
    let Some(delimiter) = rest.chars().next().filter(char::is_ascii_punctuation) else {
        return false;
    };
    let mut parts = rest[1..].split(delimiter);
    // An escaped delimiter, or one within brackets, makes more parts: not read here.
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(to), Some(flags), None) => {
            !to.contains('\n')
                && flags.chars().all(|flag| flag.is_ascii_digit() || "gpiI".contains(flag))
        }
        _ => false,
    }
}
