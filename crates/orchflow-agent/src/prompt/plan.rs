//! What an architect is told: the goal, the project's commands, and exactly how a plan is
//! written. What it answers is read by the grammar of `docs/plan-file.md`, which is not here.

use std::fmt::Write;

use crate::Turn;

use super::{LIST_LIMIT, TEXT_LIMIT, extra, marked, section};

/// The most bytes of an answer that could not be read, when it is shown again.
const HANDOFF_LIMIT: usize = 24 * 1024;

/// The prompt of an architect.
pub(super) fn render(turn: &Turn) -> String {
    let mut text = String::from(
        "Plan the goal below; others will carry the plan out. You may read everything in this \
         folder, a copy of the project. Change nothing: what you change here is not used.\n\n",
    );
    section(&mut text, "Goal", &marked(&turn.goal, TEXT_LIMIT));
    section(&mut text, "The project's own commands", &commands(turn));
    extra(&mut text, turn);
    section(&mut text, "What makes a good plan", GOOD);
    let grammar = format!("An example between dashes:\n\n-----\n{PLAN_EXAMPLE}-----\n\n{GRAMMAR}");
    section(&mut text, "How a plan is written", &grammar);
    if let Some(handoff) = &turn.handoff {
        section(
            &mut text,
            "Your answer before this could not be read",
            &marked(handoff, HANDOFF_LIMIT),
        );
    }
    section(
        &mut text,
        "Your answer",
        "Answer with the whole plan in this form and nothing after it. It begins with the line \
         `# Plan: ` and the goal.",
    );
    text
}

const GOOD: &str = "\
- As few tasks as the goal allows: one, when one agent can do it in one sitting. Each is done by \
an agent that knows nothing but its own task, so say in its description all it must know.
- Tasks that change the same files depend on each other, or are one task. Name in `depends` only \
what really must be there first; all else may go side by side, each in a copy of its own.
- Name the files a task will likely change.
- Do not plan the project's build, lint and tests: they are run after every task that changes \
something, and their result decides. Do not plan commits or reviews either.
- What the goal leaves open, decide, and say so in a note.";

/// A plan with all that one may have, as architects are shown it.
pub const PLAN_EXAMPLE: &str = "\
# Plan: Make the login page faster

> The tests of the old page are left as they are.

## cache-users: Cache the users

What the agent should know, in as many paragraphs as it takes.

- src/users.rs
- src/cache.rs

type: dev
reason: The page asks for the same users again and again.

## use-cache: Let the page use the cache

The page calls `users::all` once per row; it should call `cache::users` instead.

- src/page.rs

depends: cache-users
";

const GRAMMAR: &str = "\
- First `# Plan: GOAL`, then notes to the person who approves the plan, each line with `> ` before \
it, then the tasks.
- `## key: title` begins a task. The key is lower-case words with hyphens, used once.
- Its description comes directly below. Then files, `- path` each, relative to the project. Then \
settings, `name: value` each; no text after files or settings.
- Settings, all optional, each at most once and never empty: `type` is dev, test, build, lint, \
format or repl (dev when it is missing); `writes` is yes or no, whether source files change (yes \
for dev and format when it is missing); `depends` is keys with commas; `reason` is one line; \
`command` is the exact words of a program to run instead of an agent (no shell reads them: no \
pipes, no variables); `dir` is where it runs, relative to the project.
- A line of a description that begins with `#`, `##`, `>`, `- ` or a lower-case word and a colon \
would be read as one of the above: begin it with a backslash, or write lists with `*`.";

fn commands(turn: &Turn) -> String {
    let mut list = String::new();
    for command in turn.commands.iter().filter(|command| command.available) {
        let line = shlex::try_join(command.argv.iter().map(String::as_str)).unwrap_or_default();
        let _ = write!(list, "- {}: `{line}`", command.purpose);
        if !command.dir.is_empty() {
            let _ = write!(list, " in {}", command.dir);
        }
        list.push('\n');
    }
    if list.is_empty() {
        list.push_str("None were found.");
    }
    marked(&list, LIST_LIMIT)
}
