//! Options as programs take them: `-a`, `-ab`, `-n 5`, `-n5`, `--name value`, `--name=value`.

use crate::policies::shell::Word;

/// The options a program is known to take, each list separated by blanks.
pub(super) struct Options {
    /// Those that stand alone.
    pub(super) alone: &'static str,
    /// Those with a value, which is the rest of their word or the next one.
    pub(super) valued: &'static str,
}

impl Options {
    /// The place of the first word from `from` that is no option; none when one of them is
    /// not known.
    pub(super) fn end(&self, words: &[Word], from: usize) -> Option<usize> {
        let mut at = from;
        while let Some(word) = words.get(at) {
            match word.as_deref()? {
                "--" => return Some(at + 1),
                word if word.len() < 2 || !word.starts_with('-') => return Some(at),
                word => at += self.width(word)?,
            }
        }
        Some(at)
    }

    /// How many words an option takes, its value among them; none when it is not known.
    pub(super) fn width(&self, word: &str) -> Option<usize> {
        if lists(self.alone, word) {
            return Some(1);
        }
        if lists(self.valued, word) {
            return Some(2);
        }
        if let Some((name, _)) = word.split_once('=')
            && word.starts_with("--")
        {
            return lists(self.valued, name).then_some(1);
        }
        if word.starts_with("--") {
            return None;
        }
        let letters = word.strip_prefix('-')?;
        for (place, letter) in letters.char_indices() {
            let option = format!("-{letter}");
            if lists(self.valued, &option) {
                return Some(if place + letter.len_utf8() == letters.len() { 2 } else { 1 });
            }
            if !lists(self.alone, &option) {
                return None;
            }
        }
        Some(1)
    }
}

/// Whether a list holds this very word.
pub(super) fn lists(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| !listed.is_empty() && listed == word)
}

/// Whether a word is one of these options, with its value or without: of a long one any
/// beginning, since programs take those that are the only ones of their kind.
pub(super) fn may_be(word: &str, options: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    let begins =
        |option: &str| name.len() > 2 && name.starts_with("--") && option.starts_with(name);
    options.split_whitespace().any(|option| option == name || begins(option))
}
