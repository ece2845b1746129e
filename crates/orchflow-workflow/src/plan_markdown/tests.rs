//! The grammar as it is documented, its mistakes, and that printing and reading agree.

use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::{AgentType, RunId};
use proptest::prelude::*;

use super::{parse, print, print_for, read};

const RUN: &str = "run_0193e4c2d1f07cc3a1b2c3d4e5f60718";

const PLAN: &str = "\
# Plan: Make the login page faster
and keep its tests

> The old page is left as it is.
>
> Nobody uses it.

## read-code: Read the code

type: dev
writes: no

## cache-users: Cache the users

They are asked for again and again.

\\- not a file
\\note: not a setting

- src/users.rs
- src/cache.rs

type: dev
writes: yes
agent: claude
depends: read-code
reason: It is slow.

## run-tests: Run the tests

type: test
writes: no
depends: read-code, cache-users
command: [\"cargo\",\"test\",\"a b\"]
dir: web
";

#[test]
fn a_plan_reads_as_it_is_documented_and_prints_as_it_was_read() {
    let plan = parse(PLAN).unwrap();
    assert_eq!(plan.goal, "Make the login page faster\nand keep its tests");
    assert_eq!(plan.notes, ["The old page is left as it is.", "Nobody uses it."]);
    let users = &plan.tasks[1];
    assert_eq!(users.files, ["src/users.rs", "src/cache.rs"]);
    assert_eq!(
        users.description,
        "They are asked for again and again.\n\n- not a file\nnote: not a setting"
    );
    assert_eq!(plan.tasks[2].command, ["cargo", "test", "a b"]);
    assert_eq!(print(&plan), PLAN);
}

#[test]
fn a_plan_that_names_a_run_is_for_no_other() {
    let plan = parse(PLAN).unwrap();
    let [run, other]: [RunId; 2] =
        [RUN, "run_0193e4c2d1f07cc3a1b2c3d4e5f60719"].map(|id| id.parse().unwrap());
    let text = print_for(run, &plan);
    assert!(text.contains(&format!("and keep its tests\nrun: {RUN}\n\n> The old")), "{text}");
    let document = read(&text).unwrap();
    assert_eq!(document.run(), Some(run));
    let error = document.clone().of(other).unwrap_err();
    assert_eq!(error.line, 3);
    assert!(error.reason.contains(&format!("the plan of {run}, and {other} is")), "{error}");
    assert_eq!(document.of(run), Ok(plan.clone()));
    // A plan that says nothing of a run is for any.
    assert_eq!(read(PLAN).unwrap().of(other), Ok(plan));
}

#[test]
fn settings_that_are_missing_take_their_documented_values() {
    let plan = parse("# Plan: g\n## a: A\n## b: B\ntype: test\n## c: C\ntype: format\n").unwrap();
    let seen: Vec<_> = plan.tasks.iter().map(|task| (task.agent_type, task.writes)).collect();
    let right = [(AgentType::Dev, true), (AgentType::Test, false), (AgentType::Format, true)];
    assert_eq!(seen, right);
}

#[test]
fn a_command_may_be_written_as_a_shell_would_take_it() {
    let text = "# Plan: g\n## a: A\ncommand: npm test -- --grep 'two words' \"it's\" a\\ b\n";
    let plan = parse(text).unwrap();
    assert_eq!(plan.tasks[0].command, ["npm", "test", "--", "--grep", "two words", "it's", "a b"]);
}

#[test]
fn every_mistake_names_its_line_and_how_to_mend_it() {
    let task = |line: &str| format!("# Plan: g\n\n## a: A\n{line}\n");
    let mistakes = [
        (String::new(), 1, "write `# Plan: GOAL`"),
        ("\nhello\n".to_owned(), 2, "write `# Plan: GOAL`"),
        ("# Plan: g\n".to_owned(), 1, "add one, `## key: title`"),
        ("# Plan: g\ntype: dev\n".to_owned(), 2, "write its heading"),
        ("# Plan: g\n> note\n\ntext\n".to_owned(), 4, "begin it with `> `"),
        ("# Plan: g\nrun: latest\n".to_owned(), 2, "or take the line away"),
        (format!("# Plan: g\nrun: {RUN}\n\nrun: {RUN}\n"), 4, "said twice"),
        ("# Plan: g\n## Do it\n".to_owned(), 2, "`## key: title`"),
        ("# Plan: g\n## Do it: now\n".to_owned(), 2, "lower-case words with hyphens"),
        (task("tpye: dev"), 4, "no setting is called `tpye`: there are type, writes"),
        (task("type: coding"), 4, "there are dev, test, build"),
        (task("writes: maybe"), 4, "yes or no, not `maybe`"),
        (task(&format!("run: {RUN}")), 4, "no setting is called `run`"),
        (task("dir:"), 4, "take the line away"),
        (task("dir: a\ndir: b"), 5, "said twice"),
        (task("dir: a\n\nmore text"), 6, "put it above them"),
        (task("- "), 4, "a file is missing"),
        (task("# Another"), 4, "begin the line with a backslash"),
        (task("depends: b,"), 4, "a list of keys"),
        (task("depends: b"), 4, "add `## b: title`"),
        (task("depends: a"), 4, "a → a"),
        (task("command: ls | wc"), 4, "no shell reads the command"),
        (task("command: 'ls"), 4, "a quote is not closed"),
        (task("command: [ls]"), 4, "not a JSON array"),
        (task("command: []"), 4, "no words"),
        (task("## a: B"), 4, "another task is called `a` (line 3)"),
        (task("depends: b\n## b: B\ndepends: c\n## c: C\ndepends: b"), 6, "b → c → b"),
    ];
    for (text, line, words) in mistakes {
        let error = parse(&text).expect_err(&text);
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.reason.contains(words), "{text}: {error}");
    }
}

/// Lines that look like everything the grammar knows.
fn any_line() -> impl Strategy<Value = String> {
    let mark = prop::sample::select(vec![
        "", "run: ", "# ", "## ", "### ", "- ", "-", "> ", ">", "\\", "\\\\", "type: ", "note: ",
        "x:", "  ", "# Plan: ", "## key: ",
    ]);
    (mark, "[a-zA-Z0-9:#>`'\"\\\\$ é-]{0,12}").prop_map(|(mark, rest)| format!("{mark}{rest}"))
}

fn one_line() -> impl Strategy<Value = String> {
    any_line().prop_map(|line| line.trim().to_owned())
}

fn task(place: usize) -> impl Strategy<Value = PlanTask> {
    use AgentType::{Build, Dev, Format, Lint, Repl, Test};
    let said = prop::collection::vec(any_line(), 0..5).prop_map(|lines| {
        let lines = parse::without_blank_edges(lines.iter().map(String::as_str).collect());
        lines.join("\n")
    });
    let file = one_line().prop_filter("a file has a name", |file| !file.is_empty());
    let words = prop::collection::vec("[a-z|$'\"\\\\ é\\n]{0,6}", 0..4);
    let depends = prop::collection::vec(0..place.max(1), 0..3).prop_map(move |on| {
        on.into_iter().filter(|on| *on < place).map(|on| format!("t-{on}")).collect()
    });
    let agent = prop::option::of("[a-z]{1,6}");
    let kind = prop::sample::select(vec![Dev, Test, Build, Lint, Format, Repl]);
    let text = (one_line(), said, one_line(), one_line());
    (text, kind, any::<bool>(), agent, words, prop::collection::vec(file, 0..3), depends).prop_map(
        move |(
            (title, description, dir, reason),
            agent_type,
            writes,
            agent,
            command,
            files,
            depends,
        )| {
            let key = format!("t-{place}");
            PlanTask {
                key,
                title,
                description,
                agent_type,
                agent,
                command,
                dir,
                writes,
                files,
                depends,
                reason,
            }
        },
    )
}

/// A goal as the file can hold it: its first line stands in a heading, which ends where its
/// words do.
fn heading_and_rest(goal: &str) -> String {
    match goal.trim().split_once('\n') {
        Some((heading, rest)) => format!("{}\n{rest}", heading.trim_end()),
        None => goal.trim().to_owned(),
    }
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let goal = (one_line(), prop::collection::vec(any_line(), 0..3));
    let note = prop::collection::vec(
        one_line().prop_filter("a note says something", |line| !line.is_empty()),
        1..3,
    );
    let notes = prop::collection::vec(note, 0..3);
    let tasks = (1..5_usize).prop_flat_map(|n| (0..n).map(task).collect::<Vec<_>>());
    (goal, notes, tasks).prop_map(|(goal, notes, tasks)| Plan {
        goal: heading_and_rest(&format!("{}\n{}", goal.0, goal.1.join("\n"))),
        notes: notes.into_iter().map(|note| note.join("\n")).collect(),
        tasks,
        by: None,
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back_as_it_was(plan in any_plan()) {
        let text = print(&plan);
        prop_assert_eq!(parse(&text).map_err(|error| format!("{error}\n{text}")), Ok(plan));
    }

    #[test]
    fn no_text_makes_the_parser_panic(lines in prop::collection::vec(any_line(), 0..12)) {
        let _ = parse(&format!("# Plan: g\n{}", lines.join("\n")));
    }
}
