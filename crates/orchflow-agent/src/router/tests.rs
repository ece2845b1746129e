//! Tables of words and what they mean.

use super::*;

use AgentType::{Build, Dev, Format, Lint, Repl, Test};

fn command(purpose: AgentType, framework: &str, line: &str, fix: &str) -> ProjectCommand {
    let argv = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
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

fn project(commands: Vec<ProjectCommand>) -> Project {
    Project { root: "/p".to_owned(), ecosystems: vec!["npm".to_owned()], commands }
}

#[test]
fn plain_words_become_a_type_of_work() {
    for (input, wanted) in [
        ("run tests for authentication", Test),
        ("run the tests", Test),
        ("test", Test),
        ("please run all unit tests", Test),
        ("can you check that the tests pass?", Test),
        ("make sure the tests pass", Test),
        ("run pytest", Test),
        ("run the test suite with coverage", Test),
        ("test the login flow", Test),
        ("build", Build),
        ("build the project", Build),
        ("does it compile", Build),
        ("check that it compiles", Build),
        ("make a build", Build),
        ("rebuild everything from scratch", Build),
        ("lint", Lint),
        ("run the linter", Lint),
        ("run clippy on the workspace", Lint),
        ("fix the lint errors", Lint),
        ("type-check the project", Lint),
        ("check types", Lint),
        ("format the code", Format),
        ("run prettier", Format),
        ("fix formatting", Format),
        ("check the formatting", Format),
        ("build but don't run the tests", Build),
        ("lint, without running the tests", Lint),
        ("run `cargo tree -d`", Repl),
        ("add a login page", Dev),
        ("fix the failing test", Dev),
        ("write tests for the parser", Dev),
        ("fix the build", Dev),
        ("make the tests pass", Dev),
        ("build a login page", Dev),
        ("rename `test` to `check`", Dev),
        ("fix the date format", Dev),
        ("fix the linter configuration", Dev),
        ("add a lint step to ci", Dev),
        ("change the \"build\" label", Dev),
        ("refactor the build script", Dev),
        ("users cannot log in", Dev),
        ("implement OAuth and cover it with tests", Dev),
        ("use spaces instead of tabs", Dev),
    ] {
        let routed = route(input, None);
        assert_eq!(routed.agent_type, wanted, "{input}: {routed:?}");
        assert_eq!(routed.suggested_command, None, "without a project: {input}");
        assert!(!routed.reason.is_empty());
    }
}

#[test]
fn plain_requests_are_sure_and_odd_ones_are_not() {
    for sure in
        ["run the tests", "lint", "build the project", "format the code", "fix lint", "add a page"]
    {
        assert!(route(sure, None).confidence >= 0.8, "{sure}: {:?}", route(sure, None));
    }
    for unsure in ["run the tests and lint", "users cannot log in", "format dates nicely"] {
        assert!(route(unsure, None).confidence < CONFIDENT, "{unsure}: {:?}", route(unsure, None));
    }
    assert_eq!(route("  ", None).confidence, 0.0);
}

#[test]
fn tests_of_a_subject_are_filtered_in_the_tools_own_terms() {
    let input = "run tests for authentication";
    for (framework, argv, wanted) in [
        ("npm", "npm test", "npm test -- --grep auth"),
        ("mocha", "npm test", "npm test -- --grep auth"),
        ("mocha", "npm test -- --bail", "npm test -- --bail --grep auth"),
        ("jest", "npm test", "npm test -- -t auth"),
        ("vitest", "npx vitest run", "npx vitest run -t auth"),
        ("node-test", "node --test", "node --test-name-pattern auth --test"),
        ("pnpm", "pnpm test", "pnpm test --grep auth"),
        ("pytest", "pytest", "pytest -k auth"),
        ("unittest", "python3 -m unittest", "python3 -m unittest -k auth"),
        ("cargo-test", "cargo test", "cargo test auth"),
        ("cargo-test", "cargo test -- --nocapture", "cargo test auth -- --nocapture"),
        ("nextest", "cargo nextest run", "cargo nextest run auth"),
        ("odd", "make test", "make test"),
    ] {
        let routed = route(input, Some(&project(vec![command(Test, framework, argv, "")])));
        assert_eq!(routed.suggested_command.as_deref(), Some(wanted), "{routed:?}");
        assert_eq!(routed.agent_type, Test);
        assert!(routed.confidence > 0.8, "{routed:?}");
        assert!(routed.reason.contains("authentication"), "{routed:?}");
    }
}

#[test]
fn the_subject_is_found_where_people_put_it() {
    let here = project(vec![command(Test, "cargo-test", "cargo test", "")]);
    for (input, wanted) in [
        ("run the tests for authorization", "cargo test auth"),
        ("run the auth tests", "cargo test auth"),
        ("test the login flow", "cargo test login"),
        ("run all tests related to parsing", "cargo test pars"),
        ("run tests about the configuration module", "cargo test config"),
        ("run the test \"A b::c\"", "cargo test 'A b::c'"),
        ("run the test `parses_numbers`", "cargo test parses_numbers"),
        ("run the test parses_numbers", "cargo test parses_numbers"),
        ("run the payment tests", "cargo test payment"),
        ("run tests for tests", "cargo test"),
        ("run all unit tests", "cargo test"),
        ("run the failing tests", "cargo test"),
        ("test everything", "cargo test"),
        ("run the tests without coverage", "cargo test"),
        ("make sure all tests pass", "cargo test"),
        ("run the tests in src/login", "cargo test"),
        ("run the tests 10 times", "cargo test"),
        ("run the tests twice with more output", "cargo test"),
        ("run the tests in parallel", "cargo test"),
        ("run the test named login", "cargo test login"),
    ] {
        let routed = route(input, Some(&here));
        assert_eq!(routed.suggested_command.as_deref(), Some(wanted), "{input}: {routed:?}");
    }
}

#[test]
fn a_project_s_own_command_is_suggested_and_none_is_made_up() {
    let here = project(vec![
        command(Lint, "eslint", "npm run lint", "npm run lint -- --fix"),
        command(Format, "rustfmt", "cargo fmt --check", "cargo fmt"),
    ]);
    for (input, wanted) in [
        ("lint", Some("npm run lint")),
        ("fix the lint errors", Some("npm run lint -- --fix")),
        ("format the code", Some("cargo fmt")),
        ("check the formatting", Some("cargo fmt --check")),
        ("build", None),
        ("add a page", None),
        ("run `cargo tree -d`", Some("cargo tree -d")),
    ] {
        assert_eq!(route(input, Some(&here)).suggested_command.as_deref(), wanted, "{input}");
    }
    assert!(route("build", Some(&here)).reason.contains("no build command"));
}

#[test]
fn a_command_in_a_folder_says_so() {
    let there =
        ProjectCommand { dir: "web app".into(), ..command(Build, "npm", "npm run build", "") };
    let routed = route("build", Some(&project(vec![there])));
    assert_eq!(routed.suggested_command.as_deref(), Some("cd 'web app' && npm run build"));
}

#[test]
fn hostile_words_route_without_a_panic() {
    for input in
        ["\"", "`", "'", "“x", "é\"é", "don't", "---", "()", "not", "run `", "\u{0}", "the"]
    {
        let _ = route(input, None);
    }
    let long = "test ".repeat(20_000);
    assert_eq!(route(&long, None).agent_type, Test);
}
