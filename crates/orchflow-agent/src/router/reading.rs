//! A sentence read: the type of work, how sure that is, and why.

use orchflow_types::AgentType;
use orchflow_types::project::Project;

use super::subject::{Subject, subject};
use super::words::{
    Word, asks_for_change, asks_to_mend, asks_to_run, ends_negation, is_about_tools, is_filler,
    is_preposition, is_whole_project, negates, weight, words,
};

/// How a sentence is understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub(crate) agent_type: AgentType,
    /// 0 to 1.
    pub(crate) confidence: f64,
    /// The words that decided.
    pub(crate) reason: String,
    /// Whether a tool is asked to mend what it finds.
    pub(crate) mends: bool,
    /// Whether a verb asks for a change.
    pub(crate) changes: bool,
    /// Whether it says no more than "fix it".
    pub(crate) bare_mend: bool,
    /// What the tests should be about.
    pub(crate) subject: Option<Subject>,
    /// The command line that stands in backquotes.
    pub(crate) quoted_command: Option<String>,
    /// Whether nothing but what is not wanted is said.
    pub(crate) only_negated: bool,
    /// Words before the first place or subject that name neither a tool nor the project.
    pub(crate) strange: usize,
}

const TYPES: [AgentType; 6] = [
    AgentType::Test,
    AgentType::Build,
    AgentType::Lint,
    AgentType::Format,
    AgentType::Repl,
    AgentType::Dev,
];

/// Scores by type of work, with the words that made them.
#[derive(Default)]
struct Scores([f64; 6], Vec<(AgentType, String)>);

impl Scores {
    fn add(&mut self, to: AgentType, weight: f64, word: &str) {
        self.0[Self::at(to)] += weight;
        self.1.push((to, word.to_owned()));
    }

    fn of(&self, of: AgentType) -> f64 {
        self.0[Self::at(of)]
    }

    fn at(of: AgentType) -> usize {
        TYPES.iter().position(|one| *one == of).unwrap_or(0)
    }

    fn reason(&self, of: AgentType) -> String {
        const MOST: usize = 6;
        let words = self.1.iter().filter(|(to, _)| *to == of).take(MOST);
        let words: Vec<String> = words.map(|(_, word)| format!("`{word}`")).collect();
        format!("{} means {of}", words.join(", "))
    }

    /// The best type of work and the score of the next best. Among equals, the one whose
    /// word came first.
    fn best(&self) -> (AgentType, f64) {
        let mut order: Vec<AgentType> = TYPES.to_vec();
        let first =
            |of: &AgentType| self.1.iter().position(|(to, _)| to == of).unwrap_or(usize::MAX);
        order.sort_by(|a, b| self.of(*b).total_cmp(&self.of(*a)).then(first(a).cmp(&first(b))));
        (order[0], self.of(order[1]))
    }
}

/// Reads a sentence.
pub(crate) fn read(input: &str, project: Option<&Project>) -> Reading {
    let words = words(input);
    let negated = negations(&words);
    let heard = hear(&words, &negated);
    let (agent_type, second) = heard.scores.best();
    let top = heard.scores.of(agent_type);
    let strange = strange(&words, &negated, project);
    let mut reading = Reading {
        agent_type: AgentType::Dev,
        confidence: 0.3,
        reason: "no rule matched, so it is work for a coding agent".to_owned(),
        mends: heard.mends,
        changes: heard.changes,
        bare_mend: strange == 0 && is_bare_mend(&words, &heard),
        subject: None,
        quoted_command: heard.quoted_command,
        only_negated: top == 0.0
            && !heard.unwanted.is_empty()
            && words.iter().any(|word| refuses(&word.text)),
        strange,
    };
    if words.is_empty() {
        reading.confidence = 0.0;
        reading.reason = "there are no words".to_owned();
    }
    if top > 0.0 {
        reading.agent_type = agent_type;
        reading.confidence = confidence(top, second, strange, agent_type);
        reading.reason = heard.scores.reason(agent_type);
    }
    if reading.agent_type == AgentType::Test {
        reading.subject = subject(&words, &negated);
    }
    reading
}

/// How far the best score stands above the next, and above nothing; words that name no
/// part of the project make it doubtful that the whole of it is meant.
fn confidence(top: f64, second: f64, strange: usize, agent_type: AgentType) -> f64 {
    let sure = top / (top + second + 0.3) * (top / 3.0).min(1.0);
    let whole = matches!(agent_type, AgentType::Build | AgentType::Lint | AgentType::Format);
    let doubts = if whole { i32::try_from(strange).unwrap_or(i32::MAX) } else { 0 };
    sure * 0.6_f64.powi(doubts)
}

/// What the words weigh.
struct Heard {
    scores: Scores,
    mends: bool,
    changes: bool,
    quoted_command: Option<String>,
    unwanted: Vec<AgentType>,
}

fn hear(words: &[Word], negated: &[bool]) -> Heard {
    let lead = words.iter().position(|word| !is_filler(&word.text));
    let changes = lead.is_some_and(|at| is_change(words, at, negated) || is_new_thing(words, at));
    let mut scores = Scores::default();
    let mut unwanted = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| word.quote.is_none()) {
        let Some((to, weight)) = weight(&word.text).or_else(|| two_words(words, at)) else {
            continue;
        };
        if negated[at] {
            unwanted.push(to);
        } else {
            // Behind a verb of change a tool is what the change is about.
            let factor = if changes {
                0.5
            } else if Some(at) == lead {
                1.5
            } else {
                1.0
            };
            scores.add(to, weight * factor, &word.text);
        }
    }
    let mends = mends(words, negated, &scores, changes);
    if changes && mends {
        // The tool is what the verb asks for after all.
        scores.0.iter_mut().for_each(|score| *score *= 2.0);
    }
    let changes = changes && !mends;
    if changes {
        scores.add(AgentType::Dev, 4.0, lead.map_or("", |at| &words[at].text));
    }
    let quoted_command = quoted_command(words, lead);
    if let Some(line) = &quoted_command {
        scores.add(AgentType::Repl, 3.5, line);
    }
    Heard { scores, mends, changes, quoted_command, unwanted }
}

/// "Fix it", "fix what it finds".
fn is_bare_mend(words: &[Word], heard: &Heard) -> bool {
    let lead = words.iter().find(|word| !is_filler(&word.text));
    heard.unwanted.is_empty()
        && heard.scores.1.iter().all(|(to, _)| *to == AgentType::Dev)
        && lead.is_some_and(|word| asks_to_mend(&word.text))
}

/// Which words stand behind a negation.
fn negations(words: &[Word]) -> Vec<bool> {
    const REACH: usize = 4;
    let mut negated = vec![false; words.len()];
    let mut left = 0;
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", |next| next.text.as_str());
        let instead =
            word.text == "instead" && next == "of" || word.text == "rather" && next == "than";
        // "Not only" and "do not forget" ask for what follows.
        if word.quote.is_none()
            && (negates(&word.text) || instead)
            && !["only", "forget"].contains(&next)
        {
            left = REACH;
            negated[at] = true;
        } else if ends_negation(&word.text) && !instead {
            left = 0;
        } else if left > 0 {
            negated[at] = true;
            left -= 1;
        }
        if word.stop {
            left = 0;
        }
    }
    negated
}

/// Whether the leading verb asks for a change. "Make sure" asks for a look.
fn is_change(words: &[Word], lead: usize, negated: &[bool]) -> bool {
    let next = words.get(lead + 1).map_or("", |word| word.text.as_str());
    let word = &words[lead];
    if word.text == "make" {
        let tool = words.iter().skip(lead + 1).find(|word| !is_filler(&word.text));
        return next != "sure" && tool.is_none_or(|word| word.text != "build");
    }
    word.quote.is_none()
        && !negated[lead]
        && asks_for_change(&word.text)
        && !(word.text == "use" && weight(next).is_some())
}

/// "Build a login page" asks for something new; "build the project" does not.
fn is_new_thing(words: &[Word], lead: usize) -> bool {
    let next = |by: usize| words.get(lead + by).map_or("", |word| word.text.as_str());
    matches!(next(1), "a" | "an" | "me" | "us")
        && matches!(words[lead].text.as_str(), "build" | "format" | "test" | "assemble")
        && !is_whole_project(next(2))
}

/// "Fix the lint errors" asks a tool to mend what it finds; "fix the linter's
/// configuration" and "fix the date format" do not.
fn mends(words: &[Word], negated: &[bool], scores: &Scores, changes: bool) -> bool {
    let asked = words
        .iter()
        .zip(negated)
        .any(|(word, no)| !no && asks_to_mend(word.text.trim_start_matches('-')));
    let tool = scores.of(AgentType::Lint) + scores.of(AgentType::Format);
    let other = scores.of(AgentType::Test) + scores.of(AgentType::Build);
    let formats = scores.of(AgentType::Format) > scores.of(AgentType::Lint);
    let about = words.iter().any(|word| is_about_tools(&word.text));
    let mends = tool > 0.0 && other == 0.0 && (asked || formats && !changes && !looks(words));
    mends && !about && (!changes || strange(words, negated, None) == 0)
}

/// "Check the formatting" only looks.
fn looks(words: &[Word]) -> bool {
    words.iter().any(|word| {
        matches!(
            word.text.as_str(),
            "check" | "verify" | "ensure" | "confirm" | "whether" | "if" | "sure" | "--check"
        )
    })
}

/// How many words before the first place or subject name neither a tool nor the project.
fn strange(words: &[Word], negated: &[bool], project: Option<&Project>) -> usize {
    let folder = |name: &str| {
        project.is_some_and(|project| project.commands.iter().any(|command| command.dir == name))
    };
    words
        .iter()
        .enumerate()
        .take_while(|(_, word)| !is_preposition(&word.text) || word.text == "of")
        .filter(|(at, word)| {
            let known = word.quote.is_some()
                || negated[*at]
                || weight(&word.text).is_some()
                || is_filler(&word.text)
                || is_whole_project(&word.text)
                || asks_to_run(&word.text)
                || asks_to_mend(&word.text)
                || negates(&word.text)
                || ends_negation(&word.text)
                || word.text.starts_with('-')
                || folder(&word.text);
            !known && word.text != "make"
        })
        .count()
}

/// What two words say together that neither says alone.
fn two_words(words: &[Word], at: usize) -> Option<(AgentType, f64)> {
    let next = words.get(at + 1)?;
    match (words[at].text.as_str(), next.text.as_str()) {
        ("type", "check" | "checks" | "checker" | "checking")
        | ("static", "analysis")
        | ("check", "types") => Some((AgentType::Lint, 3.0)),
        ("check", "the") if words.get(at + 2)?.text == "types" => Some((AgentType::Lint, 3.0)),
        _ => None,
    }
}

/// The command line of "run `cargo tree`".
fn quoted_command(words: &[Word], lead: Option<usize>) -> Option<String> {
    let lead = lead?;
    let run = matches!(words[lead].text.as_str(), "run" | "rerun" | "execute" | "invoke");
    let quoted = words.get(lead + 1).filter(|word| word.quote == Some('`'))?;
    run.then(|| quoted.written.clone())
}

fn refuses(word: &str) -> bool {
    matches!(word, "not" | "don't" | "dont" | "never" | "no" | "without")
}
