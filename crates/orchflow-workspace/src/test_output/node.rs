//! `node --test`, jest, vitest and mocha.

use orchflow_types::project::TestSummary;

use super::{counts, sum};

/// TAP (`# pass 2`) and the spec reporter (`ℹ pass 2`).
pub(super) fn node_test(text: &str) -> Option<TestSummary> {
    let count = |word: &str| -> Option<u32> {
        text.lines().rev().find_map(|line| {
            let rest = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
            rest.strip_prefix(word)?.strip_prefix(' ')?.parse().ok()
        })
    };
    count("tests")?;
    let number = |word| count(word).unwrap_or(0);
    let failing = match text.rsplit_once("✖ failing tests:") {
        Some((_, list)) => list.lines().filter_map(spec_name).collect(),
        None => tap_names(text),
    };
    Some(TestSummary {
        passed: count("pass")?,
        failed: number("fail") + number("cancelled"),
        skipped: number("skipped") + number("todo"),
        failing,
    })
}

/// `✖ NAME (0.7ms)`.
fn spec_name(line: &str) -> Option<String> {
    let name = line.strip_prefix("✖ ")?;
    let name = name.rsplit_once(" (").map_or(name, |(name, _)| name);
    Some(name.to_owned())
}

/// `not ok 2 - NAME`, but for suites that only say that a test in them failed.
fn tap_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("not ok ") {
            let name = rest.split_once(" - ").map_or(rest, |(_, name)| name);
            let optional = name.ends_with("# TODO") || name.contains(" # SKIP");
            open = (!optional).then(|| name.to_owned());
        } else if line == "failureType: 'subtestsFailed'" {
            open = None;
        } else if line == "..." {
            names.extend(open.take());
        }
    }
    names.extend(open);
    names
}

/// `Tests:       2 failed, 1 passed, 3 total`, and the headings `● suite › test`.
pub(super) fn jest(text: &str) -> Option<TestSummary> {
    let list = text.lines().rev().find_map(|line| line.strip_prefix("Tests: "))?;
    let counts = counts(list, ',');
    let (mut failing, mut file, mut broken) = (Vec::new(), "", Vec::new());
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("FAIL ") {
            file = path.trim();
        } else if let Some(name) = line.strip_prefix("  ● ") {
            match name {
                "Test suite failed to run" => broken.push(file.to_owned()),
                "Console" => {}
                name => failing.push(name.to_owned()),
            }
        }
    }
    // With many files the headings are printed once more at the end.
    broken.sort_unstable();
    broken.dedup();
    let not_run = u32::try_from(broken.len()).unwrap_or(u32::MAX);
    failing.extend(broken);
    Some(TestSummary {
        passed: sum(&counts, &["passed"]),
        failed: sum(&counts, &["failed"]).saturating_add(not_run),
        skipped: sum(&counts, &["skipped", "todo"]),
        failing,
    })
}

/// `Tests  2 failed | 1 passed (3)`, and the headings `FAIL  file > suite > test`.
pub(super) fn vitest(text: &str) -> Option<TestSummary> {
    let list = text.lines().rev().find_map(|line| {
        let list = line.trim_start().strip_prefix("Tests  ")?;
        (list.trim() == "no tests" || list.ends_with(')')).then_some(list)
    })?;
    let list = list.rsplit_once(" (").map_or(list, |(list, _)| list);
    let counts = counts(list, '|');
    let failing: Vec<String> = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("FAIL  "))
        .map(|name| name.split_once(" [ ").map_or(name, |(file, _)| file).trim().to_owned())
        .collect();
    // A file that could not be loaded has no test in it.
    let not_run = failing.iter().filter(|name| !name.contains(" > ")).count();
    Some(TestSummary {
        passed: sum(&counts, &["passed"]),
        failed: sum(&counts, &["failed"])
            .saturating_add(u32::try_from(not_run).unwrap_or(u32::MAX)),
        skipped: sum(&counts, &["skipped", "todo"]),
        failing,
    })
}

/// `2 passing (3ms)`, `1 pending`, `2 failing`, and the numbered list after it.
pub(super) fn mocha(text: &str) -> Option<TestSummary> {
    let lines: Vec<&str> = text.lines().collect();
    let count = |line: &str, word: &str| -> Option<u32> {
        let mut words = line.split_whitespace();
        let count = words.next()?.parse().ok()?;
        (words.next() == Some(word)).then_some(count)
    };
    let at = lines.iter().rposition(|line| count(line, "passing").is_some())?;
    let number = |word| lines[at..].iter().find_map(|line| count(line, word)).unwrap_or(0);
    Some(TestSummary {
        passed: number("passing"),
        failed: number("failing"),
        skipped: number("pending"),
        failing: mocha_names(&lines[at..]),
    })
}

/// `  1) suite`, deeper suites below it, and the test's own line with a colon at its end.
fn mocha_names(lines: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for line in lines.iter().map(|line| line.trim()) {
        let numbered = line.split_once(") ").filter(|(number, _)| number.parse::<u32>().is_ok());
        match numbered {
            Some((_, first)) => open = vec![first],
            None if open.is_empty() => continue,
            None if line.is_empty() => {
                open.clear();
                continue;
            }
            None => open.push(line),
        }
        if line.ends_with(':') {
            names.push(open.join(" > ").trim_end_matches(':').to_owned());
            open.clear();
        }
    }
    names
}
