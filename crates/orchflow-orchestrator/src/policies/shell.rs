//! What a command line would run: every simple command in it, wherever it stands.

mod nesting;

use brush_parser::ast::{
    AndOr, Assignment, AssignmentValue, Command, CommandPrefixOrSuffixItem as Item,
    CompoundCommand, CompoundList, IoFileRedirectKind as Kind, IoFileRedirectTarget as Target,
    IoRedirect, Pipeline, RedirectList, SimpleCommand, Word as RawWord,
};
use brush_parser::word::{WordPiece, WordPieceWithSource};
use brush_parser::{Parser, ParserOptions};

use super::runners::{self, Runs};

/// A word as it will be, or none when only running the line tells.
pub(super) type Word = Option<String>;

/// How deep commands may stand within commands (`$(…)`, `sh -c`, `eval`).
const DEPTH_MAX: usize = 8;

/// The longest line that is looked at.
const LINE_MAX: usize = 64 * 1024;

/// A simple command, and where it stands within others that run it.
#[derive(Debug)]
pub(super) struct Simple {
    /// Its words.
    pub(super) words: Vec<Word>,
    /// The commands that have its words among their own: the place of each in the line, and
    /// that of this one's first word among its words.
    pub(super) within: Vec<(usize, usize)>,
}

/// What a line holds.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Simple commands, each before those that it runs.
    pub(super) commands: Vec<Simple>,
    /// Files it writes to by redirection.
    pub(super) writes: Vec<Word>,
    /// Why not everything it does can be told from its text.
    pub(super) opaque: Option<String>,
}

/// Parses a line; none when it is not a shell's.
pub(super) fn parse(line: &str) -> Option<Line> {
    let mut found = Line::default();
    found.read(line, 0)?;
    Some(found)
}

/// The words of a command no shell reads, with what it would hand to a shell.
pub(super) fn exact(argv: &[String]) -> Line {
    let mut found = Line::default();
    found.command(argv.iter().cloned().map(Some).collect(), Vec::new(), 0);
    found
}

impl Line {
    fn read(&mut self, line: &str, depth: usize) -> Option<()> {
        if line.len() > LINE_MAX || line.contains('\0') || nesting::is_too_deep(line) {
            return None;
        }
        let program =
            Parser::new(line.as_bytes(), &ParserOptions::default()).parse_program().ok()?;
        for list in &program.complete_commands {
            self.list(list, depth);
        }
        Some(())
    }

    fn list(&mut self, list: &CompoundList, depth: usize) {
        for item in &list.0 {
            self.pipeline(&item.0.first, depth);
            for next in &item.0.additional {
                let (AndOr::And(pipeline) | AndOr::Or(pipeline)) = next;
                self.pipeline(pipeline, depth);
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, depth: usize) {
        for command in &pipeline.seq {
            match command {
                Command::Simple(simple) => self.simple(simple, depth),
                Command::Compound(compound, redirects) => {
                    self.compound(compound, depth);
                    self.redirects(redirects.as_ref(), depth);
                }
                Command::Function(function) => {
                    // Its name may hide a program's, so what follows cannot be read by name.
                    self.unclear("it defines a function");
                    self.compound(&function.body.0, depth);
                    self.redirects(function.body.1.as_ref(), depth);
                }
                Command::ExtendedTest(..) => self.unclear("it has a [[ test ]]"),
            }
        }
    }

    fn compound(&mut self, compound: &CompoundCommand, depth: usize) {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list, depth),
            CompoundCommand::Subshell(subshell) => self.list(&subshell.list, depth),
            CompoundCommand::ForClause(each) => {
                each.values.iter().flatten().for_each(|word| drop(self.word(word, depth)));
                self.list(&each.body.list, depth);
            }
            CompoundCommand::IfClause(branch) => {
                self.list(&branch.condition, depth);
                self.list(&branch.then, depth);
                for otherwise in branch.elses.iter().flatten() {
                    otherwise.condition.iter().for_each(|list| self.list(list, depth));
                    self.list(&otherwise.body, depth);
                }
            }
            CompoundCommand::WhileClause(repeat) | CompoundCommand::UntilClause(repeat) => {
                self.list(&repeat.0, depth);
                self.list(&repeat.1.list, depth);
            }
            CompoundCommand::CaseClause(case) => {
                drop(self.word(&case.value, depth));
                case.cases
                    .iter()
                    .filter_map(|item| item.cmd.as_ref())
                    .for_each(|list| self.list(list, depth));
            }
            CompoundCommand::ArithmeticForClause(each) => {
                self.unclear("it counts with an arithmetic expression");
                self.list(&each.body.list, depth);
            }
            CompoundCommand::Arithmetic(_) => self.unclear("it has an arithmetic expression"),
            CompoundCommand::Coprocess(_) => self.unclear("it starts a coprocess"),
        }
    }

    fn simple(&mut self, simple: &SimpleCommand, depth: usize) {
        let mut words = Vec::new();
        let prefix = simple.prefix.iter().flat_map(|prefix| &prefix.0);
        prefix.for_each(|item| self.item(item, false, &mut words, depth));
        if let Some(name) = &simple.word_or_name {
            words.push(self.word(name, depth));
        }
        let suffix = simple.suffix.iter().flat_map(|suffix| &suffix.0);
        suffix.for_each(|item| self.item(item, true, &mut words, depth));
        if !words.is_empty() {
            self.command(words, Vec::new(), depth);
        }
    }

    fn item(&mut self, item: &Item, argument: bool, words: &mut Vec<Word>, depth: usize) {
        match item {
            Item::Word(word) => words.push(self.word(word, depth)),
            Item::AssignmentWord(_, word) if argument => words.push(self.word(word, depth)),
            Item::AssignmentWord(assignment, _) => self.assignment(assignment, depth),
            Item::IoRedirect(redirect) => self.redirect(redirect, depth),
            Item::ProcessSubstitution(_, subshell) => {
                self.list(&subshell.list, depth);
                words.push(None);
            }
        }
    }

    fn assignment(&mut self, assignment: &Assignment, depth: usize) {
        // PATH, LD_PRELOAD and their like change what every other word means.
        self.unclear("it sets a variable");
        match &assignment.value {
            AssignmentValue::Scalar(word) => drop(self.word(word, depth)),
            AssignmentValue::Array(items) => {
                items.iter().for_each(|(_, word)| drop(self.word(word, depth)));
            }
        }
    }

    fn redirects(&mut self, redirects: Option<&RedirectList>, depth: usize) {
        redirects
            .iter()
            .flat_map(|list| &list.0)
            .for_each(|redirect| self.redirect(redirect, depth));
    }

    fn redirect(&mut self, redirect: &IoRedirect, depth: usize) {
        match redirect {
            IoRedirect::File(_, kind, Target::Filename(word)) => {
                let word = self.word(word, depth);
                if !matches!(kind, Kind::Read | Kind::DuplicateInput) {
                    self.writes.push(word);
                }
            }
            IoRedirect::File(_, _, Target::Fd(_)) => {}
            IoRedirect::File(_, _, Target::ProcessSubstitution(_, subshell)) => {
                self.list(&subshell.list, depth);
            }
            IoRedirect::File(_, _, Target::Duplicate(word)) => {
                let target = self.word(word, depth);
                let is_descriptor =
                    |text: &String| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
                if !target.as_ref().is_some_and(is_descriptor) {
                    self.writes.push(target);
                }
            }
            IoRedirect::OutputAndError(word, _) => {
                let word = self.word(word, depth);
                self.writes.push(word);
            }
            IoRedirect::HereDocument(_, document) if document.requires_expansion => {
                if document.doc.value.contains('$') || document.doc.value.contains('`') {
                    self.unclear("it has a here-document that is expanded");
                }
            }
            IoRedirect::HereDocument(..) => {}
            IoRedirect::HereString(_, word) => drop(self.word(word, depth)),
        }
    }

    /// A command, and what it runs.
    fn command(&mut self, words: Vec<Word>, within: Vec<(usize, usize)>, depth: usize) {
        let place = self.commands.len();
        let runs = runners::runs(&words);
        if words.first().is_some_and(Option::is_none) {
            self.unclear("which program it runs is known only when it runs");
        }
        self.commands.push(Simple { words, within: within.clone() });
        for run in runs {
            match run {
                _ if depth >= DEPTH_MAX => self.unclear("it runs commands within commands"),
                Runs::Command { at, words } => {
                    let outer = within.iter().map(|(place, from)| (*place, from + at));
                    let within = outer.chain([(place, at)]).collect();
                    self.command(words, within, depth + 1);
                }
                Runs::Line(text) => {
                    if self.read(&text, depth + 1).is_none() {
                        self.unclear("it hands text to a shell that cannot be read here");
                    }
                }
                Runs::Write(path) => self.writes.push(path),
                Runs::Unclear(why) => self.unclear(why),
            }
        }
    }

    fn word(&mut self, word: &RawWord, depth: usize) -> Word {
        match brush_parser::word::parse(&word.value, &ParserOptions::default()) {
            Ok(pieces) => self.pieces(&pieces, false, depth),
            Err(_) => {
                self.unclear("a word of it cannot be read");
                None
            }
        }
    }

    fn pieces(&mut self, pieces: &[WordPieceWithSource], quoted: bool, depth: usize) -> Word {
        let mut text = Some(String::new());
        for piece in pieces {
            let part = match &piece.piece {
                WordPiece::Text(part) if quoted || !part.contains(['*', '?', '[', '{']) => {
                    Some(part.clone())
                }
                WordPiece::SingleQuotedText(part) => Some(part.clone()),
                WordPiece::EscapeSequence(part) => {
                    Some(part.strip_prefix('\\').unwrap_or(part).to_owned())
                }
                WordPiece::DoubleQuotedSequence(inner) => self.pieces(inner, true, depth),
                WordPiece::CommandSubstitution(script)
                | WordPiece::BackquotedCommandSubstitution(script) => {
                    if depth >= DEPTH_MAX || self.read(script, depth + 1).is_none() {
                        self.unclear("a command within it cannot be read");
                    }
                    None
                }
                WordPiece::ParameterExpansion(_) | WordPiece::ArithmeticExpression(_) => {
                    // `${x:-$(rm y)}` runs what it seems only to name.
                    if format!("{:?}", piece.piece).contains("$(")
                        || format!("{:?}", piece.piece).contains('`')
                    {
                        self.unclear("an expansion of it may run a command");
                    }
                    None
                }
                _ => None,
            };
            text = text.zip(part).map(|(text, part)| text + &part);
        }
        text
    }

    fn unclear(&mut self, why: &str) {
        self.opaque.get_or_insert_with(|| why.to_owned());
    }
}
