//! How deep a line may nest. The parser goes down one level of its stack for each level of
//! the line, and a stack that is used up ends the whole daemon: so what may open a level is
//! counted before anything is parsed. Quoted or not: what only looks like a level costs a
//! question to a person, what is overlooked costs every run.

/// The most beginnings of levels for which the parser needs much of its stack.
const COSTLY_MAX: usize = 64;

/// The most of those for which it needs little.
const CHEAP_MAX: usize = 1000;

/// Words that begin a compound command.
const BEGINNINGS: [&str; 8] =
    ["if", "while", "until", "for", "case", "select", "coproc", "function"];

/// Whether a line may nest deeper than the parser can go.
pub(super) fn is_too_deep(line: &str) -> bool {
    // A line that goes on behind a backslash is one: `i\` and `f` are `if`.
    let line = line.replace("\\\n", "");
    let words = line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let compound = words.filter(|word| BEGINNINGS.contains(word)).count();
    let pairs = line.as_bytes().windows(2);
    let opens = |pair: &&[u8]| match pair {
        [b'$' | b'<' | b'>', b'('] | [b'$', b'{'] => true,
        [b'{', next] => next.is_ascii_whitespace() || b"({<>;&|".contains(next),
        _ => false,
    };
    let cheap = line.bytes().filter(|byte| matches!(byte, b'(' | b'!')).count();
    compound + pairs.filter(opens).count() > COSTLY_MAX || cheap > CHEAP_MAX
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    /// Everything that nests, as what opens a level, what stands in the middle, what closes it.
    const NESTS: [(&str, &str, &str); 18] = [
        ("( ", "a", " )"),
        ("{ ", "a;", " }"),
        ("$(", "a", ")"),
        ("\"$(", "a", ")\""),
        ("${x:-", "a", "}"),
        ("<(cat ", "a", ")"),
        ("if a; then ", "b", "; fi"),
        ("i\\\nf a; then ", "b", "; fi"),
        ("while a; do ", "b", "; done"),
        ("until ", "a;", " do b; done;"),
        ("for i in a; do ", "b", "; done"),
        ("for ((a;b;c)); do ", "b", "; done"),
        ("case x in x) ", "b", ";; esac"),
        ("coproc ", "a", ""),
        ("f() { ", "a;", " }"),
        ("[[ ( ", "a", " ) ]]"),
        ("! ", "a", ""),
        ("a && ", "b", ""),
    ];

    #[test]
    fn a_line_that_nests_without_end_is_not_read_and_ends_nothing() {
        for (open, middle, close) in NESTS {
            for depth in [40, 64, 200, 1000, 4000] {
                let line = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
                drop(parse(&line));
                drop(parse(&format!("echo $(({line})) [[ {line} ]]")));
            }
            let line = format!("{open}{middle}{close}");
            assert!(!super::is_too_deep(&line), "{line}");
        }
        assert!(parse(&format!("{}a{}", "$(".repeat(200), ")".repeat(200))).is_none());
    }

    #[test]
    fn lines_as_people_write_them_are_read() {
        let message = "Mend it (for good): if `x {}` is {\"a\": 1}, while y! ".repeat(20);
        let line = format!("git commit -m \"$(cat <<'EOF'\n{message}\nEOF\n)\"");
        assert!(parse(&line).is_some());
    }
}
