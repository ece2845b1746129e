//! The demo's scripted agents: no model, no thought, one prepared step each; and they say so.
//!
//! They really edit and really look at the file. What they do is right for the project as
//! it comes; when its test is changed by hand, their fix is wrong, and the run ends red.

use std::path::Path;

use crate::context::Context;
use crate::output::Output;
use crate::stop::{Ended, Stop};

use super::project::SOURCE;

/// What the hidden command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The part to play: executor, consultant or auditor
    role: String,
}

/// Plays one part in the current folder.
pub(crate) fn run(cx: &Context, args: &Args) -> Ended {
    let path = cx.dir.join(SOURCE);
    let text = std::fs::read_to_string(&path).map_err(|error| Stop::file("read", &path, &error))?;
    cx.out.line("scripted agent: I follow a script for this demo; no model is asked.");
    match args.role.as_str() {
        "executor" => {
            edit(cx.out, &path, &text, "min(found, key=found.get)", "max(found, key=found.get)")
        }
        "consultant" => {
            let bare = "    return max(found, key=found.get)\n";
            let guarded = "    return max(found, key=found.get) if found else None\n";
            edit(cx.out, &path, &text, bare, guarded)
        }
        "auditor" => {
            audit(cx.out, &text);
            Ok(())
        }
        other => Err(Stop::usage(format!("the script has no part called `{other}`"))),
    }
}

fn edit(out: Output, path: &Path, text: &str, old: &str, new: &str) -> Ended {
    if !text.contains(old) {
        out.line(format!(
            "scripted agent: {SOURCE} has no `{}`; I know nothing else to do.",
            old.trim()
        ));
        return Ok(());
    }
    std::fs::write(path, text.replace(old, new))
        .map_err(|error| Stop::file("write", path, &error))?;
    out.line(format!(
        "scripted agent: in {SOURCE} I replaced `{}` by `{}`.",
        old.trim(),
        new.trim()
    ));
    Ok(())
}

fn audit(out: Output, text: &str) {
    let line = text.lines().position(|line| line.contains("max(found")).map(|place| place + 1);
    let answer = if text.contains("if found else None") {
        serde_json::json!({ "verdict": "APPROVED", "findings": [] })
    } else {
        serde_json::json!({
            "verdict": "NEEDS_WORK",
            "findings": [{
                "severity": "error",
                "file": SOURCE,
                "line": line,
                "message": "most_common(\"\") raises ValueError: max() of nothing",
                "suggestion": "answer None when there is no word",
            }],
        })
    };
    out.line(answer);
}
