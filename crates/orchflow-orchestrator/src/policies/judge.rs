//! The decision: every command and every written file against every rule, the strictest wins.

use orchflow_types::policy::{Decision, PolicyAnswer};

use super::Asked;
use super::rules::{Rule, Rules, Tool, glob};
use super::runners::{self, base};
use super::shell::{self, Line, Simple, Word};

/// More simple commands than a person would read before saying yes.
const COMMANDS_MAX: usize = 50;

/// Files that are no files.
const SINKS: [&str; 4] = ["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"];

/// What the rules say of what is asked.
pub(super) fn judge(rules: &Rules, asked: &Asked) -> PolicyAnswer {
    let line = match &asked.line {
        Some(line) => shell::parse(line),
        None => Some(shell::exact(&asked.argv)),
    };
    let Some(line) = line else {
        return answer(
            Decision::Ask,
            None,
            "it cannot be parsed as a command line".to_owned(),
            &Line::default(),
        );
    };
    let agent = asked.agent.as_deref().unwrap_or_default();
    let commands = line.commands.iter().map(|one| of_command(rules, agent, &line, one));
    let writes = line.writes.iter().filter_map(|path| of_write(rules, agent, path));
    let mut strictest: Option<Said> = commands.chain(writes).reduce(stricter);
    if line.commands.is_empty() && strictest.is_none() {
        strictest = Some((Decision::Ask, None, "it runs nothing that can be named".to_owned()));
    }
    let unclear = match &line.opaque {
        Some(why) => Some(why.clone()),
        None if line.commands.len() > COMMANDS_MAX => {
            Some(format!("it holds {} commands", line.commands.len()))
        }
        None => None,
    };
    let (decision, rule, reason) = strictest.unwrap_or((Decision::Ask, None, String::new()));
    match unclear {
        Some(why) if decision == Decision::Allow => {
            answer(Decision::Ask, None, format!("{why}, so a person decides"), &line)
        }
        _ => answer(decision, rule, reason, &line),
    }
}

type Said = (Decision, Option<String>, String);

fn stricter(one: Said, other: Said) -> Said {
    if other.0 > one.0 { other } else { one }
}

fn of_command(rules: &Rules, agent: &str, line: &Line, command: &Simple) -> Said {
    let words = &command.words;
    let forms = forms(words);
    let hit = |effect: Decision| {
        // `env PATH=… git` and `sudo git` are not the `git` that a rule allows.
        let forms = if effect == Decision::Allow { &forms[..1] } else { &forms[..] };
        let matching = move |rule: &&Rule| {
            rule.effect == effect && forms.iter().any(|form| matches(&rule.words, form, effect))
        };
        rules.about(Tool::Command, agent).find(matching)
    };
    let found = hit(Decision::Deny).or_else(|| hit(Decision::Ask)).or_else(|| hit(Decision::Allow));
    match found.or_else(|| spelled_out(rules, agent, line, command)) {
        Some(rule) => (rule.effect, Some(rule.name.clone()), because(rule, &shown(words))),
        None => (Decision::Ask, None, format!("no rule speaks of `{}`", shown(words))),
    }
}

/// The rule that allows a command by allowing one that runs it, with the program of both
/// written out: `timeout 5 cargo *` speaks of `cargo`, `timeout *` of nothing that is run.
fn spelled_out<'r>(
    rules: &'r Rules,
    agent: &'r str,
    line: &Line,
    command: &Simple,
) -> Option<&'r Rule> {
    command.within.iter().find_map(|(outer, at)| {
        let outer = &line.commands[*outer].words;
        let speaks = |rule: &&Rule| {
            rule.effect == Decision::Allow
                && rule.words.get(*at).is_some_and(|word| !word.contains('*'))
                && matches(&rule.words, outer, Decision::Allow)
        };
        rules.about(Tool::Command, agent).find(speaks)
    })
}

fn of_write(rules: &Rules, agent: &str, path: &Word) -> Option<Said> {
    let Some(path) = path else {
        return Some((
            Decision::Ask,
            None,
            "it writes to a file that only running it names".to_owned(),
        ));
    };
    if SINKS.contains(&path.as_str()) {
        return None;
    }
    let hit = |effect| {
        let plain = !path.split('/').any(|part| part == "..");
        let fits = move |rule: &&Rule| {
            rule.effect == effect
                && (plain || effect != Decision::Allow)
                && glob(&rule.words.join(" "), path)
        };
        rules.about(Tool::Write, agent).find(fits)
    };
    let found = hit(Decision::Deny).or_else(|| hit(Decision::Ask)).or_else(|| hit(Decision::Allow));
    Some(match found {
        Some(rule) => (rule.effect, Some(rule.name.clone()), because(rule, path)),
        None => (Decision::Ask, None, format!("no rule speaks of writing {path}")),
    })
}

fn because(rule: &Rule, what: &str) -> String {
    if rule.reason.is_empty() {
        format!("rule {} speaks of `{what}`", rule.name)
    } else {
        rule.reason.clone()
    }
}

/// The command itself and, behind programs that only run another, everything that may be
/// what they run: which of their words are options of their own is not told apart.
fn forms(words: &[Word]) -> Vec<&[Word]> {
    let wrapped = if runners::is_wrapper(words) { words.len() } else { 1 };
    (0..wrapped).map(|from| &words[from..]).collect()
}

/// Whether a command is what a pattern says. A last `*` stands for any further words.
///
/// To deny or ask, a program is known by its name wherever it lies, an unknown word may be
/// any word, and what stands behind `sudo` counts; to allow, everything has to be exact.
fn matches(pattern: &[String], words: &[Word], effect: Decision) -> bool {
    let allow = effect == Decision::Allow;
    if pattern.len() == 1 && pattern[0] == "*" {
        return true;
    }
    let (pattern, open) = match pattern.split_last() {
        Some((last, head)) if last == "*" => (head, true),
        _ => (pattern, false),
    };
    if words.len() < pattern.len() || (!open && words.len() > pattern.len()) {
        return false;
    }
    pattern.iter().zip(words).enumerate().all(|(place, (pattern, word))| match word {
        None => !allow,
        Some(text) if place == 0 && !allow => {
            base(word).is_some_and(|name| glob(pattern, name)) || glob(pattern, text)
        }
        Some(word) => glob(pattern, word),
    })
}

fn shown(words: &[Word]) -> String {
    words.iter().map(|word| word.as_deref().unwrap_or("…")).collect::<Vec<_>>().join(" ")
}

fn answer(decision: Decision, rule: Option<String>, reason: String, line: &Line) -> PolicyAnswer {
    let told = |command: &Simple| {
        command.words.iter().map(|word| word.clone().unwrap_or_else(|| "…".to_owned())).collect()
    };
    PolicyAnswer { decision, rule, reason, parsed: line.commands.iter().map(told).collect() }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod runs_others;
