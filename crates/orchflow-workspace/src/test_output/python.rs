//! pytest and unittest.

use std::collections::BTreeSet;

use orchflow_types::project::TestSummary;

use super::{counts, sum};

/// The last line such as `=== 3 failed, 2 passed in 0.03s ===` (bare with `-q`), and the
/// lines of the short summary.
pub(super) fn pytest(text: &str) -> Option<TestSummary> {
    let last = text.lines().rev().find_map(|line| {
        let line = line.trim_matches(|letter| letter == '=' || letter == ' ');
        let (list, time) = line.rsplit_once(" in ")?;
        let seconds = time.split_whitespace().next()?.strip_suffix('s')?;
        seconds.parse::<f64>().ok()?;
        (list == "no tests ran" || !counts(list, ',').is_empty()).then_some(list)
    })?;
    let counts = counts(last, ',');
    let summary = text.rsplit_once("short test summary info").map_or("", |(_, summary)| summary);
    let failing = summary.lines().filter_map(|line| {
        let line = line.strip_prefix("FAILED ").or_else(|| line.strip_prefix("ERROR "))?;
        Some(node_id(line).trim().to_owned())
    });
    Some(TestSummary {
        passed: sum(&counts, &["passed", "xfailed", "xpassed"]),
        failed: sum(&counts, &["failed", "error", "errors"]),
        skipped: sum(&counts, &["skipped"]),
        failing: failing.collect(),
    })
}

/// `path::test[param]` out of `path::test[param] - message`; a parameter may hold ` - `.
fn node_id(line: &str) -> &str {
    let dash = line.find(" - ").unwrap_or(line.len());
    match line.find('[') {
        Some(bracket) if bracket < dash => line.find("] - ").map_or(line, |end| &line[..=end]),
        _ => &line[..dash],
    }
}

/// `Ran N tests in …`, the verdict after it, and the headings `FAIL: test (class)`.
pub(super) fn unittest(text: &str) -> Option<TestSummary> {
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().rposition(|line| ran(line).is_some())?;
    let all = ran(lines[at])?;
    let verdict = lines[at..].iter().find(|line| {
        line.starts_with("OK") || line.starts_with("FAILED") || line.starts_with("NO TESTS RAN")
    })?;
    let list = verdict.split_once('(').map_or("", |(_, list)| list.trim_end_matches(')'));
    let count = |word: &str| -> u32 {
        let value = list.split(',').find_map(|part| part.trim().strip_prefix(word));
        value.and_then(|value| value.strip_prefix('=')?.parse().ok()).unwrap_or(0)
    };
    let failing: Vec<String> = lines[..at]
        .windows(2)
        .filter(|pair| pair[0].len() > 60 && pair[0].bytes().all(|byte| byte == b'='))
        .filter_map(|pair| heading(pair[1]))
        .chain(lines[..at].iter().filter_map(|line| heading(line.strip_prefix("UNEXPECTED ")?)))
        .collect();
    let told = count("failures") + count("errors") + count("unexpected successes");
    // A test with subtests is one test, however many of them failed.
    let distinct: BTreeSet<&String> = failing.iter().collect();
    let distinct = u32::try_from(distinct.len()).unwrap_or(u32::MAX);
    let failed = if distinct == 0 { told } else { distinct.min(told) };
    let skipped = count("skipped");
    let passed = all.saturating_sub(failed).saturating_sub(skipped);
    Some(TestSummary { passed, failed, skipped, failing })
}

fn ran(line: &str) -> Option<u32> {
    let (count, rest) = line.strip_prefix("Ran ")?.split_once(' ')?;
    rest.starts_with("test").then(|| count.parse().ok())?
}

/// The dotted name that `python -m unittest NAME` takes.
fn heading(line: &str) -> Option<String> {
    let (kind, rest) = line.split_once(": ")?;
    if !matches!(kind, "FAIL" | "ERROR" | "SUCCESS") {
        return None;
    }
    let (test, rest) = rest.split_once(" (")?;
    let (class, _) = rest.split_once(')')?;
    // Since Python 3.11 the class in parentheses has the test's name at its end.
    let named = class.rsplit('.').next() == Some(test);
    Some(if named { class.to_owned() } else { format!("{class}.{test}") })
}
