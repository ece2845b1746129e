//! `cargo test` and `cargo nextest run`.

use orchflow_types::project::TestSummary;

use super::{counts, sum};

/// One block `running N tests` … `test result: …` per test binary; the sum of them.
pub(super) fn test(text: &str) -> Option<TestSummary> {
    let mut total = None;
    let mut block: Option<Block> = None;
    for line in text.lines() {
        if let Some(expected) = running(line) {
            total = add(total, block.take());
            block = Some(Block { expected, ..Block::default() });
        } else if let Some(block) = &mut block {
            block.read(line);
        }
    }
    add(total, block)
}

/// `running 3 tests`; also printed by a test that runs tests, hence the check in `read`.
fn running(line: &str) -> Option<u32> {
    let count = line.strip_prefix("running ")?;
    count.strip_suffix(" tests").or_else(|| count.strip_suffix(" test"))?.parse().ok()
}

#[derive(Default)]
struct Block {
    expected: u32,
    names: Vec<String>,
    listing: bool,
    result: Option<TestSummary>,
}

impl Block {
    fn read(&mut self, line: &str) {
        if line == "failures:" {
            self.listing = true;
            self.names.clear();
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.end(result);
        } else if let Some(name) = line.strip_prefix("    ").filter(|_| self.listing) {
            self.names.push(name.trim_end().to_owned());
        } else if !line.is_empty() {
            self.listing = false;
        }
    }

    fn end(&mut self, result: &str) {
        let list = result.split_once(". ").map_or(result, |(_, list)| list);
        let counts = counts(list, ';');
        let [passed, failed, skipped, measured] =
            ["passed", "failed", "ignored", "measured"].map(|word| sum(&counts, &[word]));
        // A line a test printed says something else than how many were announced.
        if passed + failed + skipped + measured != self.expected {
            return;
        }
        let failing = std::mem::take(&mut self.names);
        self.result = Some(TestSummary { passed: passed + measured, failed, skipped, failing });
    }
}

fn add(total: Option<TestSummary>, block: Option<Block>) -> Option<TestSummary> {
    let Some(result) = block.and_then(|block| block.result) else { return total };
    let mut total = total.unwrap_or_default();
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
    total.failing.extend(result.failing);
    Some(total)
}

/// The line `Summary [ 0.1s] 5 tests run: 3 passed (1 slow), 2 failed, 1 skipped`, then the
/// tests that were not green.
pub(super) fn nextest(text: &str) -> Option<TestSummary> {
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().rposition(|line| line.trim_start().starts_with("Summary ["))?;
    let (_, list) = lines[at].split_once("run: ")?;
    let list = without_parentheses(list);
    let counts = counts(&list, ',');
    let failing = lines[at + 1..].iter().filter_map(|line| {
        let (status, rest) = line.trim_start().split_once(" [")?;
        let red = !matches!(status.trim(), "PASS" | "SLOW" | "LEAK" | "FLAKY" | "SKIP");
        let rest = rest.split_once(']')?.1.trim_start();
        // Newer versions count the tests: `(2/5)`.
        let name = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let name = name.map_or(rest, |(_, name)| name).trim();
        red.then(|| name.to_owned())
    });
    Some(TestSummary {
        passed: sum(&counts, &["passed"]),
        failed: sum(&counts, &["failed", "timed out", "exec failed"]),
        skipped: sum(&counts, &["skipped"]),
        failing: failing.collect(),
    })
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    let keep = |letter: &char| {
        match letter {
            '(' => depth += 1,
            ')' => {
                depth = depth.saturating_sub(1);
                return false;
            }
            _ => {}
        }
        depth == 0
    };
    text.chars().filter(keep).collect()
}
