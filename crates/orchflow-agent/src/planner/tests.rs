//! Tables of goals and their plans.

use super::*;

use orchflow_types::project::ProjectCommand;

fn argv(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn command(purpose: AgentType, framework: &str, line: &str, fix: &str) -> ProjectCommand {
    ProjectCommand {
        purpose,
        argv: argv(line),
        dir: String::new(),
        framework: framework.to_owned(),
        fix_argv: argv(fix),
        reason: "a file says so".to_owned(),
        confidence: 1.0,
        available: true,
        install: None,
    }
}

fn cargo() -> Project {
    Project {
        root: "/p".to_owned(),
        ecosystems: vec!["cargo".to_owned()],
        commands: vec![
            command(AgentType::Build, "cargo", "cargo build", ""),
            command(AgentType::Test, "cargo-test", "cargo test", ""),
            command(AgentType::Lint, "clippy", "cargo clippy", "cargo clippy --fix"),
            command(AgentType::Format, "rustfmt", "cargo fmt --check", "cargo fmt"),
        ],
    }
}

/// A plan in one line: `key[!]: command < depends`, where `!` writes.
fn told(goal: &str, project: &Project) -> String {
    let planned = match plan(goal, project) {
        Ok(planned) => planned,
        Err(nothing) => return nothing.to_string(),
    };
    let leaf = |task: &orchflow_types::plan::PlanTask| {
        let mark = if task.writes { "!" } else { "" };
        let what = if task.command.is_empty() {
            task.agent_type.to_string()
        } else {
            task.command.join(" ")
        };
        let waits = if task.depends.is_empty() {
            String::new()
        } else {
            format!(" < {}", task.depends.join(","))
        };
        format!("{}{mark}: {what}{waits}", task.key)
    };
    planned.plan.tasks.iter().map(leaf).collect::<Vec<_>>().join("; ")
}

#[test]
fn understood_goals_become_the_projects_own_commands() {
    for (goal, wanted) in [
        ("run the tests", "test: cargo test"),
        (
            "run the tests and lint, then build",
            "test: cargo test; lint: cargo clippy; build: cargo build < test,lint",
        ),
        (
            "lint; build; test",
            "lint: cargo clippy; build: cargo build < lint; test: cargo test < lint,build",
        ),
        ("test after building", "build: cargo build; test: cargo test < build"),
        ("run the tests for authentication", "test: cargo test auth"),
        ("run unit and integration tests", "test: cargo test"),
        ("run the tests before committing", "test: cargo test"),
        ("format the code", "format!: cargo fmt"),
        ("check the formatting", "format: cargo fmt --check"),
        ("fix the lint errors", "fix-lint!: cargo clippy --fix"),
        ("lint and fix what it finds", "fix-lint!: cargo clippy --fix"),
        ("format and run the tests", "format!: cargo fmt; test: cargo test < format"),
        ("build but don't run the tests", "build: cargo build"),
        ("test and test", "test: cargo test"),
        ("Run the tests. They should pass.", "test: cargo test"),
        ("run the tests and tell me what fails", "test: cargo test"),
        ("test then test", "test: cargo test; test-2: cargo test < test"),
    ] {
        assert_eq!(told(goal, &cargo()), wanted, "{goal}");
    }
}

#[test]
fn a_change_is_one_leaf_for_a_coding_agent() {
    for (goal, wanted) in [
        ("add a login page", "add-login-page!: dev"),
        ("add a login page and a logout page", "add-login-page-logout-page!: dev"),
        ("fix the failing test", "fix-failing-test!: dev"),
        ("run the tests and fix the failures", "run-tests-fix-failures!: dev"),
        ("run the tests and deploy", "run-tests-deploy!: dev"),
        ("add tests, then refactor the parser", "add-tests-then-refactor-parser!: dev"),
        (
            "rename foo to bar; then update the docs; then run the tests",
            "rename-foo-bar-then-update!: dev",
        ),
        ("naïve käse", "na-ve-k-se!: dev"),
        ("日本語", "change!: dev"),
        ("run `rm -rf /`", "run-rm-rf!: dev"),
    ] {
        assert_eq!(told(goal, &cargo()), wanted, "{goal}");
    }
    let planned = plan("add a login page and a logout page", &cargo()).unwrap();
    let task = &planned.plan.tasks[0];
    assert_eq!(task.title, "add a login page and a logout page");
    assert_eq!(task.description, "", "a title that says all of it is not said twice");
}

#[test]
fn a_change_and_then_checks_are_leaves_of_their_own() {
    for (goal, wanted) in [
        (
            "fix the failing test then run the linter",
            "fix-failing-test!: dev; lint: cargo clippy < fix-failing-test",
        ),
        (
            "add a page, and then build and test",
            "add-page!: dev; build: cargo build < add-page; test: cargo test < add-page",
        ),
        ("add a page and lint", "add-page!: dev; lint: cargo clippy < add-page"),
    ] {
        assert_eq!(told(goal, &cargo()), wanted, "{goal}");
    }
}

#[test]
fn two_ecosystems_give_two_leaves_and_an_alternative_gives_none() {
    let mut project = cargo();
    let web =
        ProjectCommand { dir: "web".into(), ..command(AgentType::Test, "jest", "npm test", "") };
    project.commands.push(web);
    project.commands.push(command(AgentType::Test, "nextest", "cargo nextest run", ""));
    assert_eq!(told("run the tests", &project), "test: cargo test; test-web: npm test");
    let planned = plan("run the tests", &project).unwrap();
    assert_eq!(planned.plan.tasks[1].dir, "web");
    assert_eq!(planned.plan.tasks[1].title, "Run the tests in web");
    assert!(planned.plan.only_looks());
}

#[test]
fn what_the_project_lacks_is_said_and_nothing_is_made_up() {
    let mut project = cargo();
    project.commands.retain(|command| command.purpose == AgentType::Test);
    let planned = plan("lint and run the tests", &project).unwrap();
    assert_eq!(planned.plan.tasks.len(), 1);
    assert_eq!(planned.plan.notes, ["Left out: lint. No lint command was found in /p (cargo)."]);
    assert_eq!(told("lint", &project), "nothing to do: No lint command was found in /p (cargo)");
    let empty = Project { root: "/e".into(), ecosystems: vec![], commands: vec![] };
    assert_eq!(
        told("run the tests", &empty),
        "nothing to do: No test command was found: /e is no cargo, npm or Python project"
    );
    assert_eq!(told(" ", &empty), "nothing to do: the goal is empty");
    assert_eq!(
        told("don't run the tests", &cargo()),
        "nothing to do: the goal says only what not to do"
    );
}

#[test]
fn a_program_that_is_not_installed_is_said() {
    let mut project = cargo();
    let missing = ProjectCommand {
        available: false,
        install: Some("pip install pytest".into()),
        dir: "py".into(),
        ..command(AgentType::Test, "pytest", "pytest", "")
    };
    project.commands.push(missing);
    let planned = plan("run the tests", &project).unwrap();
    assert_eq!(planned.plan.tasks.len(), 2);
    assert_eq!(
        planned.plan.notes,
        ["`pytest` is not installed. Install it with `pip install pytest`."]
    );
}

#[test]
fn where_no_tool_mends_mending_is_work_for_a_coding_agent() {
    let mut project = cargo();
    project.commands[2].fix_argv.clear();
    assert_eq!(told("fix the lint errors", &project), "fix-lint-errors!: dev");
    project.commands[3].fix_argv.clear();
    assert_eq!(told("format the code", &project), "format: cargo fmt --check");
    let note = &plan("format the code", &project).unwrap().plan.notes[0];
    assert!(note.contains("only checks"), "{note}");
}

#[test]
fn keys_are_unique_and_confidence_follows_the_least_sure_clause() {
    let planned = plan("test then test then test", &cargo()).unwrap();
    let keys: Vec<&str> = planned.plan.tasks.iter().map(|task| task.key.as_str()).collect();
    assert_eq!(keys, ["test", "test-2", "test-3"]);
    assert!(planned.confidence >= CONFIDENT);
    assert!(plan("users cannot log in", &cargo()).unwrap().confidence < CONFIDENT);
}
