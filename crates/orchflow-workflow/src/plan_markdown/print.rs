//! Printing a plan.

use std::fmt::Write as _;

use orchflow_types::RunId;
use orchflow_types::plan::{Plan, PlanTask};

use super::{Line, words};

pub(super) fn print(plan: &Plan, run: Option<RunId>) -> String {
    let mut out = String::new();
    let mut goal = plan.goal.trim().lines();
    line(&mut out, &format!("# Plan: {}", goal.next().unwrap_or_default()));
    goal.for_each(|text| line(&mut out, &escaped(text)));
    if let Some(run) = run {
        line(&mut out, &format!("run: {run}"));
    }
    for (place, note) in plan.notes.iter().filter(|note| !note.trim().is_empty()).enumerate() {
        line(&mut out, if place == 0 { "" } else { ">" });
        for text in note.lines().map(str::trim).filter(|text| !text.is_empty()) {
            line(&mut out, &format!("> {text}"));
        }
    }
    plan.tasks.iter().for_each(|task| print_task(&mut out, task));
    out
}

fn print_task(out: &mut String, task: &PlanTask) {
    line(out, "");
    line(out, format!("## {}: {}", task.key, one_line(&task.title)).trim_end());
    line(out, "");
    let description = super::parse::without_blank_edges(task.description.lines().collect());
    if !description.is_empty() {
        description.into_iter().for_each(|text| line(out, &escaped(text)));
        line(out, "");
    }
    if !task.files.is_empty() {
        task.files.iter().for_each(|file| line(out, &format!("- {}", one_line(file))));
        line(out, "");
    }
    line(out, &format!("type: {}", task.agent_type));
    line(out, &format!("writes: {}", if task.writes { "yes" } else { "no" }));
    let mut setting = |key: &str, value: &str| {
        if !value.is_empty() {
            line(out, &format!("{key}: {value}"));
        }
    };
    setting("agent", &one_line(task.agent.as_deref().unwrap_or_default()));
    setting("depends", &task.depends.join(", "));
    setting("command", &words::print(&task.command));
    setting("dir", &one_line(&task.dir));
    setting("reason", &one_line(&task.reason));
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes all that is written to it");
}

/// A line of text, so that it is read back as text.
fn escaped(text: &str) -> String {
    let safe = !text.starts_with('\\') && matches!(Line::of(text), Line::Text(_));
    if safe { text.to_owned() } else { format!("\\{text}") }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}
