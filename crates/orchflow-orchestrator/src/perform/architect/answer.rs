//! The plan in what an architect said: from its first `# Plan:` heading to the end of its
//! answer, or to the end of the fence that the plan stands in.

use orchflow_types::plan::Plan;
use orchflow_workflow::plan_markdown;

/// A plan, and the text it was read from.
pub(super) struct Read {
    pub(super) plan: Plan,
    text: String,
}

impl Read {
    /// The same, when something in it cannot be taken.
    pub(super) fn refused(self, reason: &str) -> Unreadable {
        Unreadable { reason: reason.to_owned(), text: self.text }
    }
}

/// An answer that is no plan.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// Why, with the line where there is one.
    pub(super) reason: String,
    /// What was tried to read; empty when there was no plan at all.
    text: String,
}

impl Unreadable {
    /// What to tell the architect before it tries again.
    pub(super) fn told(&self) -> String {
        let reason = &self.reason;
        if self.text.is_empty() {
            return format!("It was refused: {reason}.");
        }
        format!(
            "It was refused: {reason}. Mend that and answer with the whole plan again. It was, \
             from its first line:\n\n{}",
            self.text
        )
    }
}

/// Reads the plan of an answer.
pub(super) fn read(answer: &str) -> Result<Read, Unreadable> {
    let Some(text) = extract(answer) else {
        let reason = "no line of it begins with `# Plan:`".to_owned();
        return Err(Unreadable { reason, text: String::new() });
    };
    match plan_markdown::parse(&text) {
        Ok(plan) => Ok(Read { plan, text }),
        Err(error) => {
            let line = text.lines().nth(error.line.saturating_sub(1)).unwrap_or_default();
            Err(Unreadable { reason: format!("{error} (the line is `{}`)", line.trim()), text })
        }
    }
}

fn extract(answer: &str) -> Option<String> {
    let lines: Vec<&str> = answer.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("# Plan:"))?;
    let before = lines[..first].iter().rev().find(|line| !line.trim().is_empty());
    let rest = &lines[first..];
    let end = before.and_then(|line| Fence::of(line)).and_then(|fence| fence.end(rest));
    Some(rest[..end.unwrap_or(rest.len())].join("\n"))
}

/// A line of backquotes or tildes.
#[derive(Clone, Copy)]
struct Fence {
    mark: char,
    count: usize,
    is_bare: bool,
}

impl Fence {
    fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let count = line.chars().take_while(|letter| *letter == mark).count();
        (count >= 3).then_some(Self { mark, count, is_bare: line.len() == count })
    }

    /// The line that closes it; fences within, each with a word to open it, are passed over.
    fn end(self, lines: &[&str]) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, line) in lines.iter().enumerate() {
            let Some(fence) = Self::of(line).filter(|fence| fence.mark == self.mark) else {
                continue;
            };
            match (fence.is_bare, depth) {
                (true, 0) if fence.count >= self.count => return Some(at),
                (true, _) => depth = depth.saturating_sub(1),
                (false, _) => depth += 1,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "# Plan: g\n\n## a: A\n\nDo it:\n";

    fn extracted(answer: &str) -> String {
        extract(answer).unwrap().trim().to_owned()
    }

    #[test]
    fn a_plan_is_found_among_words_with_and_without_a_fence() {
        let plan = PLAN.trim();
        assert_eq!(extracted(&format!("Here it is.\n\n{PLAN}")), plan);
        for fence in ["```", "````", "~~~"] {
            let answer = format!("Here:\n\n{fence}markdown\n{PLAN}{fence}\nGood luck!\n");
            assert_eq!(extracted(&answer), plan);
        }
    }

    #[test]
    fn code_within_a_fenced_plan_is_part_of_it() {
        let inner = format!("{PLAN}\n```sh\nmake\n```\n\nMore.\n");
        assert_eq!(extracted(&format!("```\n{inner}```\nBye.")), inner.trim());
        assert_eq!(extracted(&format!("`````\n{inner}`````\nBye.")), inner.trim());
        assert_eq!(extracted(&inner), inner.trim());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_the_text() {
        let bad = read("Sure!\n# Plan: g\n\n## a A\n").err().unwrap();
        assert!(bad.reason.starts_with("line 3: "), "{bad:?}");
        assert!(bad.reason.contains("## a A"), "{bad:?}");
        assert!(bad.told().contains("# Plan: g\n\n## a A"), "{bad:?}");
        assert!(read("no plan").err().unwrap().told().contains("`# Plan:`"));
    }

    #[test]
    fn the_plan_an_architect_is_shown_can_be_read() {
        let prompt = orchflow_agent::prompt::PLAN_EXAMPLE;
        let plan = read(prompt).unwrap_or_else(|bad| panic!("{bad:?}")).plan;
        assert_eq!(plan.tasks.len(), 2);
        assert_eq!(plan.tasks[1].depends, [plan.tasks[0].key.clone()]);
    }
}
