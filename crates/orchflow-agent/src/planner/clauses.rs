//! A goal split into clauses: what goes side by side, and what comes after what.

/// Groups of clauses. A group waits for all groups before it; its clauses go side by side.
/// Words in quotes are never split.
pub(super) fn split(goal: &str) -> Vec<Vec<String>> {
    let tokens = tokens(goal);
    let mut split = Split::default();
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let (word, next) = (token.word.as_str(), tokens.get(at + 1).map_or("", |next| &next.word));
        at += match (word, next) {
            ("then" | "afterwards" | "finally" | "before", _) => split.end_group(),
            ("after", "that" | "which") | ("followed", "by") => split.end_group() + 1,
            ("and" | "&", "then" | "finally" | "after" | "afterwards" | "before") => 1,
            ("and" | "&" | "plus" | "but", _) => split.end_clause(),
            ("as", "well") if tokens.get(at + 2).is_some_and(|word| word.word == "as") => {
                split.end_clause() + 2
            }
            ("after", _) => split.reverse(),
            _ => split.word(&token.text),
        };
        match token.end {
            Some(',') if split.comma_ends_group => split.end_group(),
            Some(',') => split.end_clause(),
            Some(_) => split.end_group(),
            None => 0,
        };
    }
    split.finish()
}

#[derive(Default)]
struct Split {
    groups: Vec<Vec<String>>,
    group: Vec<String>,
    clause: String,
    /// The next group belongs before the last one: "lint after building".
    swap: bool,
    /// "After building, lint": the comma ends what comes first.
    comma_ends_group: bool,
}

impl Split {
    // Each answers the tokens it used up, for the loop above.
    fn word(&mut self, word: &str) -> usize {
        if !self.clause.is_empty() {
            self.clause.push(' ');
        }
        self.clause.push_str(word);
        1
    }

    fn end_clause(&mut self) -> usize {
        let clause = std::mem::take(&mut self.clause);
        if !clause.is_empty() {
            self.group.push(clause);
        }
        1
    }

    fn end_group(&mut self) -> usize {
        self.end_clause();
        self.comma_ends_group = false;
        let group = std::mem::take(&mut self.group);
        if !group.is_empty() {
            let last =
                self.groups.len().saturating_sub(usize::from(std::mem::take(&mut self.swap)));
            self.groups.insert(last, group);
        }
        1
    }

    fn reverse(&mut self) -> usize {
        let first = self.clause.is_empty() && self.group.is_empty();
        self.end_group();
        if first {
            self.comma_ends_group = true;
        } else {
            self.swap = true;
        }
        1
    }

    fn finish(mut self) -> Vec<Vec<String>> {
        self.end_group();
        self.groups
    }
}

struct Token {
    /// As it was written, without the mark at its end.
    text: String,
    /// In lower case.
    word: String,
    /// The mark at its end that ends a clause.
    end: Option<char>,
}

/// Words between white space; white space within quotes belongs to the word.
fn tokens(goal: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut text = String::new();
    let mut quote: Option<char> = None;
    for (at, letter) in goal.char_indices() {
        let opens = quote.is_none()
            && text.is_empty()
            && matches!(letter, '"' | '\'' | '`')
            && goal[at + 1..].contains(letter);
        if opens {
            quote = Some(letter);
        } else if quote == Some(letter) {
            quote = None;
        }
        if quote.is_none() && letter.is_whitespace() {
            finish(&mut found, &mut text, letter == '\n');
        } else {
            text.push(letter);
        }
    }
    finish(&mut found, &mut text, false);
    found
}

fn finish(found: &mut Vec<Token>, text: &mut String, line_ends: bool) {
    let mut text = std::mem::take(text);
    let mut end = line_ends.then_some('\n');
    while let Some(mark) = text.chars().last().filter(|mark| ",;.!".contains(*mark)) {
        text.pop();
        end = Some(if end == Some('\n') { '\n' } else { mark });
    }
    if let (true, Some(last)) = (text.is_empty(), found.last_mut()) {
        last.end = last.end.filter(|mark| *mark != ',').or(end);
    } else {
        found.push(Token { word: text.to_lowercase(), text, end });
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn clauses_go_side_by_side_or_one_after_the_other_as_the_words_say() {
        let cases: &[(&str, &[&[&str]])] = &[
            ("run the tests and lint, then build", &[&["run the tests", "lint"], &["build"]]),
            ("lint, format and test", &[&["lint", "format", "test"]]),
            ("build; test", &[&["build"], &["test"]]),
            ("Build. After that, test!", &[&["Build"], &["test"]]),
            ("lint, and then finally build", &[&["lint"], &["build"]]),
            ("test before building", &[&["test"], &["building"]]),
            ("test after building", &[&["building"], &["test"]]),
            ("After building, test and lint", &[&["building"], &["test", "lint"]]),
            ("build followed by the tests", &[&["build"], &["the tests"]]),
            ("lint as well as test", &[&["lint", "test"]]),
            ("run \"this and, then that\" and lint", &[&["run \"this and, then that\"", "lint"]]),
            ("don't stop and test", &[&["don't stop", "test"]]),
            ("first line\nsecond", &[&["first line"], &["second"]]),
            (" , ; and then", &[]),
        ];
        for (goal, wanted) in cases {
            assert_eq!(split(goal), *wanted, "{goal}");
        }
    }
}
