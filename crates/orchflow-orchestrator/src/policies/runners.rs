//! Programs that run other programs, or read a text as code: one table of how their words
//! are read. What can be unwrapped is judged as a command of its own; what is not known to
//! be harmless cannot be read, and is never allowed by itself.

mod code;
mod find;
mod git;
mod options;

use super::shell::Word;
use options::Options;

/// What a command does beside being itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// It runs another command, whose words begin `at` this place among its own.
    Command { at: usize, words: Vec<Word> },
    /// It has a shell read a line.
    Line(String),
    /// It writes to a file.
    Write(Word),
    /// What it runs cannot be read.
    Unclear(&'static str),
}

/// How the words of a program are read.
enum Reads {
    /// Options of its own, so many words of its own, then the command it runs.
    Wrapper {
        options: Options,
        operands: usize,
    },
    /// As a wrapper, with further words that only running it tells behind the command's.
    Xargs(Options),
    /// `-c TEXT` is a line; a script or a bare shell cannot be read.
    Shell,
    /// Options, then a script file; code among the words, or from its input, cannot be read.
    Interpreter {
        options: Options,
        module: Option<&'static str>,
        complete: &'static str,
    },
    /// A program text that is readable while it has none of the words that run or write.
    Awk,
    Sed,
    Find,
    Git,
    /// Everything but these options (and subcommands), which have it run what they are given.
    But(&'static str),
    /// It sets variables, which change what every other word means.
    Sets,
    /// Everything but `-v NAME`, which sets (or evaluates) a variable.
    SetsBy(&'static str),
    /// Nothing of it.
    Unread,
}

const fn wrapper(alone: &'static str, valued: &'static str, operands: usize) -> Reads {
    Reads::Wrapper { options: Options { alone, valued }, operands }
}

const fn interpreter(
    alone: &'static str,
    valued: &'static str,
    module: Option<&'static str>,
    complete: &'static str,
) -> Reads {
    Reads::Interpreter { options: Options { alone, valued }, module, complete }
}

/// The table. An option that no row lists makes a command unclear: the lists hold what is
/// known to run nothing.
const TABLE: &[(&str, Reads)] = &[
    // Wrappers: alone, with a value, words before the command.
    ("builtin nohup busybox toybox", wrapper("", "", 0)),
    ("command", wrapper("-p -v -V", "", 0)),
    ("exec", wrapper("-c -l", "-a", 0)),
    ("time", wrapper("-p -v -q --portability --verbose --quiet", "-f --format", 0)),
    ("env", wrapper("-i -0 -v --ignore-environment --null --debug", "-u -C --unset --chdir", 0)),
    ("nice", wrapper("-0 -1 -2 -3 -4 -5 -6 -7 -8 -9", "-n --adjustment", 0)),
    ("ionice", wrapper("-t --ignore", "-c -n --class --classdata", 0)),
    ("setsid", wrapper("-c -f -w --ctty --fork --wait", "", 0)),
    ("stdbuf", wrapper("", "-i -o -e --input --output --error", 0)),
    (
        "timeout",
        wrapper("-v --verbose --preserve-status --foreground", "-s -k --signal --kill-after", 1),
    ),
    (
        "sudo",
        wrapper(
            "-n -E -H -b -k -P -S --non-interactive --set-home --background --reset-timestamp",
            "-u -g --user --group",
            0,
        ),
    ),
    ("doas", wrapper("-n", "-u", 0)),
    (
        "xargs",
        Reads::Xargs(Options {
            alone: "-0 -r -t -x --null --no-run-if-empty --verbose --exit",
            valued: "-n -P -L -s -d -a -E --max-args --max-procs --max-chars --delimiter --arg-file",
        }),
    ),
    // Shells, and programs that read code.
    ("sh bash dash zsh ksh ash rbash mksh", Reads::Shell),
    (
        "python pypy",
        interpreter(
            "-b -B -d -E -I -O -P -q -R -s -S -u -v -x",
            "-X -W --check-hash-based-pycs",
            Some("-m"),
            "-h -V --help --version",
        ),
    ),
    ("perl", interpreter("-w -W -t -T -c -l -n -p -a -s", "-I", None, "-h -v --help --version")),
    (
        "ruby",
        interpreter("-w -c -n -p -a -l -s --verbose", "-I -C", None, "-h -v --help --version"),
    ),
    (
        "node nodejs",
        interpreter(
            "-c --check --watch --no-warnings --enable-source-maps --experimental-vm-modules",
            "--test-name-pattern --max-old-space-size",
            None,
            "-h -v --help --version --test",
        ),
    ),
    ("php", interpreter("-n -q -l", "-f", None, "-h -v -m --help --version")),
    ("lua luajit", interpreter("-E", "", None, "-v")),
    ("awk gawk mawk nawk", Reads::Awk),
    ("sed gsed", Reads::Sed),
    ("find gfind", Reads::Find),
    ("git", Reads::Git),
    // Programs of which only some options run what they are given.
    ("deno bun", Reads::But("eval repl -e -p --eval --print")),
    ("Rscript", Reads::But("-e")),
    (
        "tar gtar bsdtar",
        Reads::But(
            "-I -F --to-command --checkpoint-action --use-compress-program --rsh-command --rmt-command --info-script --new-volume-script",
        ),
    ),
    ("rsync", Reads::But("-e --rsh --rsync-path")),
    ("scp sftp", Reads::But("-o -S -F -D")),
    ("sort", Reads::But("--compress-program")),
    ("go", Reads::But("-exec -toolexec -vettool --exec --toolexec --vettool")),
    ("cargo", Reads::But("--config")),
    ("make gmake", Reads::But("-E --eval")),
    ("rg", Reads::But("--pre --hostname-bin")),
    ("fd fdfind", Reads::But("-x -X --exec --exec-batch")),
    // Builtins of shells that change what other words mean.
    ("export declare typeset local readonly let read mapfile readarray getopts unset", Reads::Sets),
    ("hash enable bind complete compgen", Reads::Sets),
    ("printf test [", Reads::SetsBy("-v")),
    // Programs whose words are commands in ways that are not read here.
    ("eval . source trap alias", Reads::Unread),
    ("su runuser pkexec chroot unshare nsenter setpriv systemd-run bwrap firejail", Reads::Unread),
    ("watch parallel entr flock script expect unbuffer rlwrap at batch crontab", Reads::Unread),
    (
        "strace ltrace gdb lldb perf valgrind ssh tmux screen pwsh irb tclsh fish csh tcsh",
        Reads::Unread,
    ),
    ("taskset chrt numactl prlimit setarch linux32 linux64 fakeroot", Reads::Unread),
    ("xvfb-run dbus-run-session sg newgrp start-stop-daemon gosu su-exec", Reads::Unread),
    ("vi vim nvim view ex ed emacs", Reads::Unread),
];

const NOT_READ: &str = "it hands text to a shell that cannot be read here";
const OPTIONS: &str = "what it runs behind its options cannot be read here";
const SETS: &str = "it sets a variable";
const CODE: &str = "it runs code that cannot be read here";
const GIVEN: &str = "it runs what an option of it says";

/// What a command does beside being itself.
pub(super) fn runs(words: &[Word]) -> Vec<Runs> {
    match reads(words) {
        None => Vec::new(),
        Some(Reads::Wrapper { options, operands }) => behind(words, options, *operands),
        Some(Reads::Xargs(options)) => with_more(behind(words, options, 0)),
        Some(Reads::Shell) => vec![script(words)],
        Some(Reads::Interpreter { options, module, complete }) => {
            code::interpreter(words, options, *module, complete)
        }
        Some(Reads::Awk) => code::awk(words),
        Some(Reads::Sed) => code::sed(words),
        Some(Reads::Find) => find::runs(words),
        Some(Reads::Git) => git::runs(words),
        Some(Reads::But(refused)) => but(words, refused),
        Some(Reads::Sets) => vec![Runs::Unclear(SETS)],
        Some(Reads::SetsBy(option)) => {
            let sets = |word: &Word| word.as_ref().is_some_and(|word| word.starts_with(option));
            words
                .get(1)
                .filter(|word| sets(word))
                .map(|_| Runs::Unclear(SETS))
                .into_iter()
                .collect()
        }
        Some(Reads::Unread) => unread(words, NOT_READ),
    }
}

/// Whether any word of a command may be where another one begins.
pub(super) fn is_wrapper(words: &[Word]) -> bool {
    matches!(reads(words), Some(Reads::Wrapper { .. } | Reads::Xargs(_) | Reads::Unread))
}

fn reads(words: &[Word]) -> Option<&'static Reads> {
    let name = words.first().and_then(base)?;
    // `python3.12` is Python.
    let plain = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let named = |name: &str| {
        TABLE.iter().find(|(names, _)| options::lists(names, name)).map(|(_, reads)| reads)
    };
    named(name).or_else(|| named(plain))
}

fn behind(words: &[Word], options: &Options, operands: usize) -> Vec<Runs> {
    let Some(after) = options.end(words, 1) else { return unread(words, OPTIONS) };
    let at = after + operands;
    // A word that only running the line tells may be any number of words.
    if words.iter().take(at + 1).any(Option::is_none) {
        return unread(words, OPTIONS);
    }
    match words.get(at) {
        None => Vec::new(),
        Some(Some(name)) if name.contains('=') => unread(words, SETS),
        Some(_) => vec![Runs::Command { at, words: words[at..].to_vec() }],
    }
}

fn with_more(mut runs: Vec<Runs>) -> Vec<Runs> {
    for run in &mut runs {
        if let Runs::Command { words, .. } = run {
            words.push(None);
        }
    }
    runs
}

/// A command of which not everything can be read; a shell's line in it is, all the same, so
/// that what is denied is found there.
fn unread(words: &[Word], why: &'static str) -> Vec<Runs> {
    let is_shell = |word: &Word| matches!(reads(std::slice::from_ref(word)), Some(Reads::Shell));
    let shell = words.iter().skip(1).position(is_shell).map(|place| &words[place + 1..]);
    let line = shell.map(script).filter(|run| matches!(run, Runs::Line(_)));
    line.into_iter().chain([Runs::Unclear(why)]).collect()
}

/// What a shell is told to run: `sh -c TEXT`; `sh FILE` and a bare `sh` cannot be read.
fn script(words: &[Word]) -> Runs {
    let is_flag = |word: &&Word| word.as_ref().is_none_or(|word| word.starts_with('-'));
    let flags: Vec<&Word> = words.iter().skip(1).take_while(is_flag).collect();
    // `-o` takes the word behind the flags, which then is not the line.
    let plain = |flag: &&Word| match flag.as_deref() {
        Some("--login" | "--norc" | "--noprofile" | "--posix") => true,
        Some(flag) => {
            flag.len() > 1 && flag[1..].chars().all(|one| "abcefhiklmnuvxBCEP".contains(one))
        }
        None => false,
    };
    let has_c = flags.iter().copied().flatten().any(|f| !f.starts_with("--") && f.contains('c'));
    match words.get(1 + flags.len()) {
        Some(Some(text)) if has_c && flags.iter().all(plain) => Runs::Line(text.clone()),
        _ => Runs::Unclear(NOT_READ),
    }
}

/// A word that only running the line tells may be any option, before `--` at least.
fn but(words: &[Word], refused: &str) -> Vec<Runs> {
    let is_tar = words.first().and_then(base).is_some_and(|name| name.ends_with("tar"));
    let runs_it = |(place, word): (usize, &Word)| match word.as_deref() {
        None => true,
        Some(word) => {
            let short = word.starts_with('-') && !word.starts_with("--");
            // `tar xIf` is `tar -xIf`.
            let bundle = short || place == 0 && is_tar;
            let letter = |letter: char| options::lists(refused, &format!("-{letter}"));
            options::may_be(word, refused) || bundle && word.chars().any(letter)
        }
    };
    let own = words.iter().skip(1).take_while(|word| word.as_deref() != Some("--"));
    let found = own.enumerate().any(runs_it);
    if found { vec![Runs::Unclear(GIVEN)] } else { Vec::new() }
}

/// The name of a program without its folder.
pub(super) fn base(word: &Word) -> Option<&str> {
    word.as_deref().map(|name| name.rsplit('/').next().unwrap_or(name))
}
