//! Sleeps: a test waits for a condition, never for a time.

use super::tree::File;
use super::{Fault, Tree};

/// What the line above a sleep begins with where the passing of time is itself what a test
/// measures, such as what a thing costs in ten seconds of doing nothing.
const MEASURED: &str = "// Measured:";

/// No test code calls a sleep of the standard library or of tokio, but where it is [`MEASURED`].
pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.rust() {
        let lines: Vec<&str> = file.text.lines().collect();
        for (line, _) in test_code(file).filter(|(_, text)| sleeps(text)) {
            let above = line.checked_sub(2).and_then(|index| lines.get(index));
            if above.is_some_and(|above| above.trim_start().starts_with(MEASURED)) {
                continue;
            }
            let mend = "Wait for what the test needs: `orchflow_testkit::wait_until`, an event, a \
                        channel. Where time is what is measured: `// Measured: WHAT` above.";
            faults.push(Fault::new(&file.path, line, "a test sleeps", mend));
        }
    }
    faults
}

fn test_code(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let from = if file.is_test() { 0 } else { file.lines_without_tests() };
    file.code().filter(move |(line, _)| *line > from)
}

fn sleeps(line: &str) -> bool {
    ["thread::sleep(", "time::sleep(", "use tokio::time::sleep", "use std::thread::sleep"]
        .iter()
        .any(|call| line.contains(call))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_found_in_tests_and_only_there() {
        // Put together, so that this file does not hold what it looks for.
        let call = format!("    std::thread::{}(second);\n", "sleep");
        let waits = format!("    tokio::time::{}(second).await;\n", "sleep");
        let inline = format!("{call}\n#[cfg(test)]\nmod tests {{\n{call}}}\n");
        let tree = Tree::of(&[
            ("crates/x/src/a.rs", &inline),
            ("crates/x/tests/it/b.rs", &waits),
            ("crates/x/src/c.rs", &waits),
            ("crates/x/tests/it/d.rs", &format!("// {call}")),
            ("crates/x/tests/it/e.rs", &format!("    // Measured: idling.\n{call}")),
        ]);
        let found = check(&tree);
        let places: Vec<_> = found.iter().map(|f| (f.path.to_str().unwrap(), f.line)).collect();
        assert_eq!(places, [("crates/x/src/a.rs", 5), ("crates/x/tests/it/b.rs", 1)]);
    }
}
