//! git: settings and subcommands that have it run something else.

use super::options::{Options, lists, may_be};
use super::{GIVEN, Runs};
use crate::policies::shell::Word;

const SETTING: &str = "a setting may have git run anything";
const ALIAS: &str = "it is no subcommand that is known here, and an alias may run anything";

/// What git is told before its subcommand and runs nothing.
const GLOBAL: Options = Options {
    alone: "-p -P --paginate --no-pager --bare --no-replace-objects --no-optional-locks \
            --literal-pathspecs --version --help -v -h",
    valued: "-C -c --work-tree --namespace",
};

/// Settings that run nothing and lead nowhere; of two sections all.
const HARMLESS: &str =
    "user.name user.email core.quotepath core.autocrlf init.defaultbranch diff.renames";
const HARMLESS_SECTIONS: [&str; 2] = ["color.", "advice."];

/// Subcommands; any other word may be an alias of the repository.
const KNOWN: &str = "add am annotate apply archive bisect blame branch bundle cat-file check-attr \
    check-ignore checkout cherry cherry-pick clean clone commit config count-objects describe diff \
    diff-files diff-index diff-tree fetch for-each-ref format-patch fsck gc grep hash-object init \
    log ls-files ls-remote ls-tree maintenance merge merge-base merge-tree mv name-rev notes \
    pack-refs prune pull push range-diff read-tree rebase reflog remote repack replace request-pull \
    reset restore rev-list rev-parse revert rm shortlog show show-branch show-ref sparse-checkout \
    stash status submodule switch symbolic-ref tag update-index update-ref var verify-commit \
    verify-tag version whatchanged worktree write-tree";

/// Options of subcommands that name a program, a line or a folder of hooks.
const RUNS_IT: &str = "--upload-pack --receive-pack --exec --extcmd --open-files-in-pager --ext-diff \
    --textconv --template --config --remote";

/// Subcommands with such options: a word that only running the line tells may be one.
const TAKES_PROGRAMS: &str = "archive bisect clone config fetch grep init ls-remote pull push rebase remote \
    submodule";

/// What a `git` runs.
pub(super) fn runs(words: &[Word]) -> Vec<Runs> {
    let Some(at) = GLOBAL.end(words, 1) else { return vec![Runs::Unclear(SETTING)] };
    let mut found: Vec<Runs> = words[1..at.min(words.len())]
        .windows(2)
        .filter(|pair| pair[0].as_deref() == Some("-c") && !is_harmless(&pair[1]))
        .map(|_| Runs::Unclear(SETTING))
        .collect();
    let attached = |word: &Word| {
        let setting = word.as_deref().and_then(|word| word.strip_prefix("-c"));
        setting.is_some_and(|setting| !setting.is_empty() && !is_harmless(&Some(setting.into())))
    };
    if words[1..at.min(words.len())].iter().any(attached) {
        found.push(Runs::Unclear(SETTING));
    }
    let Some(verb) = words.get(at) else { return found };
    match verb.as_deref() {
        Some(verb) if lists(KNOWN, verb) => found.extend(of_verb(verb, words, at + 1)),
        _ => found.push(Runs::Unclear(ALIAS)),
    }
    found
}

fn is_harmless(setting: &Word) -> bool {
    let Some(setting) = setting else { return false };
    let lower = setting.to_ascii_lowercase();
    // `diff.renamesX.command` is of another kind than `diff.renames`.
    let name = lower.split('=').next().unwrap_or(&lower);
    lists(HARMLESS, name) || HARMLESS_SECTIONS.iter().any(|begin| name.starts_with(begin))
}

fn of_verb(verb: &str, words: &[Word], from: usize) -> Vec<Runs> {
    let rest = &words[from..];
    let first = rest.first().and_then(|word| word.as_deref());
    let mut found = match (verb, first) {
        ("config", _) => of_config(rest),
        ("bisect", Some("run")) => {
            vec![Runs::Command { at: from + 1, words: rest[1..].to_vec() }]
        }
        ("bisect" | "submodule", None) if !rest.is_empty() => vec![Runs::Unclear(GIVEN)],
        ("submodule", Some(_)) if rest.iter().any(|word| word.as_deref() == Some("foreach")) => {
            foreach(rest)
        }
        ("rebase", _) => lines_of(rest, &["-x", "--exec"]),
        ("grep", _) if has_short(rest, 'O') => vec![Runs::Unclear(GIVEN)],
        ("clone" | "fetch", _) if has_short(rest, 'u') || has_short(rest, 'c') => {
            vec![Runs::Unclear(GIVEN)]
        }
        _ => Vec::new(),
    };
    let steers = |word: &Word| match word.as_deref() {
        None => lists(TAKES_PROGRAMS, verb),
        Some("--text") => false, // whole, and not `--textconv`
        Some(word) => verb != "rebase" && may_be(word, RUNS_IT),
    };
    let mut own = rest.iter().take_while(|word| word.as_deref() != Some("--"));
    if own.any(steers) || rest.iter().flatten().any(|word| word.starts_with("ext::")) {
        found.push(Runs::Unclear(GIVEN));
    }
    found
}

/// `git config` may read, and set what is harmless.
fn of_config(words: &[Word]) -> Vec<Runs> {
    const READS: &str = "get list --get --get-all --get-regexp --get-urlmatch --list -l";
    const SCOPES: &str =
        "--local --global --worktree --bool --int --type=bool --type=int --null -z set";
    let mut rest =
        words.iter().skip_while(|word| word.as_deref().is_some_and(|word| lists(SCOPES, word)));
    let plain = match rest.next() {
        None => true,
        Some(word) if word.as_deref().is_some_and(|word| lists(READS, word)) => true,
        // A name alone is read. Options behind it may do anything with it.
        Some(word) => {
            let names = word.as_deref().is_some_and(|word| !word.starts_with('-'));
            let mut given = rest.peekable();
            names && given.peek().is_none()
                || is_harmless(word)
                    && given.all(|word| word.as_ref().is_some_and(|word| !word.starts_with("--")))
        }
    };
    if plain { Vec::new() } else { vec![Runs::Unclear(SETTING)] }
}

/// `git submodule foreach LINE`: one word is a line, several are joined to one.
fn foreach(words: &[Word]) -> Vec<Runs> {
    let after = words.iter().skip_while(|word| word.as_deref() != Some("foreach")).skip(1);
    let line: Option<Vec<&str>> =
        after.map(|word| word.as_deref()).skip_while(|word| *word == Some("--recursive")).collect();
    match line {
        Some(line) => vec![Runs::Line(line.join(" "))],
        None => vec![Runs::Unclear(GIVEN)],
    }
}

/// The lines that options of these names give: `-x LINE`, `--exec=LINE`.
fn lines_of(words: &[Word], names: &[&str]) -> Vec<Runs> {
    let mut found = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let Some(word) = word.as_deref() else { continue };
        let line = names.iter().find_map(|name| match word.strip_prefix(name)? {
            "" => Some(words.get(place + 1).cloned().flatten()),
            attached if name.starts_with("--") => {
                Some(attached.strip_prefix('=')?.to_owned().into())
            }
            attached => Some(Some(attached.to_owned())),
        });
        match line {
            Some(Some(line)) => found.push(Runs::Line(line)),
            Some(None) => found.push(Runs::Unclear(GIVEN)),
            // A shortened `--exec`, or one among other letters.
            None if word.starts_with("--e") || is_short(word, 'x') => {
                found.push(Runs::Unclear(GIVEN));
            }
            None => {}
        }
    }
    found
}

fn has_short(words: &[Word], letter: char) -> bool {
    words.iter().flatten().any(|word| is_short(word, letter))
}

fn is_short(word: &str, letter: char) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.contains(letter)
}
