//! Projects as people lay them out, and the commands they get.

use orchflow_types::AgentType;
use orchflow_types::project::ProjectCommand;
use orchflow_workspace::project::{Detection, detect};

use crate::fixture::write;

fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, Detection) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(dir.path(), name, text);
    }
    let detection = detect(dir.path());
    (dir, detection)
}

fn commands(detection: &Detection, purpose: AgentType) -> Vec<&ProjectCommand> {
    detection.project.commands.iter().filter(|c| c.purpose == purpose).collect()
}

fn lines(detection: &Detection, purpose: AgentType) -> Vec<String> {
    commands(detection, purpose).iter().map(|command| command.argv.join(" ")).collect()
}

#[test]
fn a_crate_gets_cargos_own_commands() {
    let (_dir, found) = project(&[("Cargo.toml", "[package]\nname = \"x\"\n")]);
    assert_eq!(found.project.ecosystems, ["cargo"]);
    assert_eq!(lines(&found, AgentType::Build), ["cargo build"]);
    assert_eq!(lines(&found, AgentType::Test), ["cargo test"]);
    assert_eq!(lines(&found, AgentType::Lint), ["cargo clippy --all-targets"]);
    assert_eq!(lines(&found, AgentType::Format), ["cargo fmt --check"]);
    let fix = commands(&found, AgentType::Lint)[0].fix_argv.join(" ");
    assert_eq!(fix, "cargo clippy --fix --allow-dirty --allow-staged --all-targets");
    assert_eq!(commands(&found, AgentType::Format)[0].fix_argv.join(" "), "cargo fmt");
    assert_eq!(commands(&found, AgentType::Test)[0].reason, "Cargo.toml");
}

#[test]
fn a_workspace_is_taken_whole_and_linted_as_its_author_does() {
    let (_dir, found) = project(&[
        ("Cargo.toml", "[package]\nname = \"x\"\n[workspace]\nmembers = [\"a\"]\n"),
        (
            ".github/workflows/ci.yml",
            "      # cargo clippy --old\n      - run: cargo clippy --workspace -- -D warnings\n",
        ),
        (".config/nextest.toml", ""),
        ("rustfmt.toml", ""),
    ]);
    assert_eq!(lines(&found, AgentType::Build), ["cargo build --workspace"]);
    assert_eq!(lines(&found, AgentType::Lint), ["cargo clippy --workspace -- -D warnings"]);
    assert!(commands(&found, AgentType::Lint)[0].reason.contains(".github/workflows/ci.yml"));
    assert_eq!(lines(&found, AgentType::Format), ["cargo fmt --all --check"]);
    let tests = commands(&found, AgentType::Test);
    let nextest = tests.iter().find(|test| test.framework == "nextest").unwrap();
    assert_eq!(nextest.argv.join(" "), "cargo nextest run --workspace");
    assert_eq!(tests[0].framework == "nextest", nextest.available);
    let manifest = "[workspace]\nmembers = [\"a\", \"b\"]\ndefault-members = [\"a\"]\n";
    let (_dir, part) = project(&[("Cargo.toml", manifest)]);
    assert_eq!(lines(&part, AgentType::Test), ["cargo test"]);
    let ci = (".gitlab-ci.yml", "  script: cargo test --workspace --locked\n");
    let (_dir, all) = project(&[("Cargo.toml", manifest), ci]);
    assert_eq!(lines(&all, AgentType::Test), ["cargo test --workspace"]);
    let (_dir, odd) = project(&[
        ("Cargo.toml", "[package]\nname = \"x\"\n"),
        ("Makefile", "lint:\n\tcargo clippy $(FLAGS) && echo ok\n"),
    ]);
    assert_eq!(lines(&odd, AgentType::Lint), ["cargo clippy --all-targets"]);
}

#[test]
fn a_package_gets_its_scripts_by_its_own_manager() {
    let package = r#"{"packageManager": "pnpm@9.1.0", "scripts": {"build": "tsc", "test": "vitest",
        "lint": "eslint .", "typecheck": "tsc --noEmit", "format": "prettier --write .",
        "format:check": "prettier --check ."}}"#;
    let (_dir, found) = project(&[("package.json", package), ("package-lock.json", "{}")]);
    assert_eq!(found.project.ecosystems, ["pnpm"]);
    assert_eq!(lines(&found, AgentType::Build), ["pnpm run build"]);
    assert_eq!(lines(&found, AgentType::Test), ["pnpm run test --run"]);
    assert_eq!(lines(&found, AgentType::Lint), ["pnpm run lint", "pnpm run typecheck"]);
    assert_eq!(commands(&found, AgentType::Lint)[0].fix_argv.join(" "), "pnpm run lint --fix");
    assert_eq!(lines(&found, AgentType::Format), ["pnpm run format:check"]);
    assert_eq!(commands(&found, AgentType::Format)[0].fix_argv.join(" "), "pnpm run format");
    assert_eq!(commands(&found, AgentType::Test)[0].framework, "vitest");
}

#[test]
fn the_placeholder_of_npm_is_no_test_and_uninstalled_packages_say_so() {
    let package = r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1",
        "lint": "eslint src"}, "devDependencies": {"eslint": "9"}}"#;
    let (_dir, found) = project(&[("package.json", package), ("package-lock.json", "{}")]);
    assert_eq!(found.project.ecosystems, ["npm"]);
    assert_eq!(lines(&found, AgentType::Test), Vec::<String>::new());
    let lint = commands(&found, AgentType::Lint)[0];
    assert_eq!(lint.fix_argv.join(" "), "npm run lint -- --fix");
    assert!(!lint.available);
    assert_eq!(lint.install.as_deref(), Some("npm ci"));
    let (_dir, bare) = project(&[("package.json", "{}"), ("test/a.test.js", "")]);
    assert_eq!(lines(&bare, AgentType::Test), ["node --test"]);
}

#[test]
fn python_tests_run_by_what_they_are_written_for() {
    let unit = ("tests/test_a.py", "import unittest\nclass T(unittest.TestCase): pass\n");
    let (_dir, plain) = project(&[unit]);
    assert_eq!(plain.project.ecosystems, ["python"]);
    assert_eq!(lines(&plain, AgentType::Test), ["python3 -m unittest discover -s tests"]);
    let (_dir, package) = project(&[unit, ("tests/__init__.py", "")]);
    assert_eq!(lines(&package, AgentType::Test), ["python3 -m unittest"]);
    for file in [
        ("pyproject.toml", "[tool.pytest.ini_options]\n"),
        ("pytest.ini", "[pytest]\n"),
        ("tests/conftest.py", ""),
        ("requirements-dev.txt", "pytest>=8\n"),
        ("tests/test_b.py", "def test_b(): pass\n"),
    ] {
        let (_dir, found) = project(&[unit, file]);
        let test = commands(&found, AgentType::Test)[0];
        assert_eq!(test.framework, "pytest", "{}", file.0);
        assert!(test.reason.starts_with(file.0), "{}", test.reason);
        assert!(test.available || test.install.is_some());
    }
}

#[test]
fn a_virtual_environment_in_the_project_is_used() {
    let (dir, _) = project(&[
        ("pyproject.toml", "[tool.pytest.ini_options]\n[tool.ruff]\n[build-system]\n"),
        ("src/p/__init__.py", ""),
        (".venv/bin/python", ""),
        (".venv/bin/pytest", ""),
        (".venv/bin/ruff", ""),
        (".venv/lib/python3.12/site-packages/build/__main__.py", ""),
    ]);
    use std::os::unix::fs::PermissionsExt;
    for name in ["python", "pytest", "ruff"] {
        let path = dir.path().join(".venv/bin").join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let found = detect(dir.path());
    let bin = dir.path().canonicalize().unwrap().join(".venv/bin");
    let bin = bin.display();
    assert_eq!(lines(&found, AgentType::Test), [format!("{bin}/python -m pytest")]);
    assert_eq!(lines(&found, AgentType::Build), [format!("{bin}/python -m build")]);
    assert_eq!(lines(&found, AgentType::Lint), [format!("{bin}/ruff check .")]);
    assert_eq!(lines(&found, AgentType::Format), [format!("{bin}/ruff format --check .")]);
    let lint = commands(&found, AgentType::Lint)[0];
    assert_eq!(lint.fix_argv.join(" "), format!("{bin}/ruff check --fix ."));
    assert!(found.project.commands.iter().all(|command| command.available));
}

#[test]
fn without_a_build_that_every_file_compiles_is_the_build_and_it_says_so() {
    let (_dir, found) = project(&[("setup.py", ""), ("pkg/__init__.py", ""), ("pkg/a.py", "")]);
    let build = commands(&found, AgentType::Build)[0];
    assert_eq!(build.argv.join(" "), "python3 -m compileall -q pkg setup.py");
    assert!(build.reason.contains("compiles"), "{}", build.reason);
}

#[test]
fn a_broken_file_is_named_and_the_rest_is_still_found() {
    let (_dir, found) = project(&[
        ("package.json", "{ broken"),
        ("Cargo.toml", "[package\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\n"),
        ("tests/test_a.py", ""),
    ]);
    assert_eq!(found.project.ecosystems, ["cargo", "npm", "python"]);
    assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
    assert!(found.problems[0].starts_with("Cargo.toml is not TOML"), "{:?}", found.problems);
    assert!(found.problems[1].starts_with("package.json is not JSON"), "{:?}", found.problems);
    assert_eq!(lines(&found, AgentType::Test).len(), 2);
}

#[test]
fn projects_in_first_level_folders_are_found_when_the_root_has_none() {
    let (_dir, found) = project(&[
        ("README.md", ""),
        ("backend/Cargo.toml", "[package]\nname = \"x\"\n"),
        ("web/package.json", r#"{"scripts": {"test": "jest"}}"#),
        ("node_modules/x/package.json", r#"{"scripts": {"test": "jest"}}"#),
    ]);
    let seen: Vec<_> = commands(&found, AgentType::Test)
        .iter()
        .map(|c| (c.dir.clone(), c.argv.join(" "), c.reason.clone()))
        .collect();
    let word = |text: &str| text.to_owned();
    let expected = [
        (word("backend"), word("cargo test"), word("backend/Cargo.toml")),
        (word("web"), word("npm run test"), word("web/package.json: scripts.test")),
    ];
    assert_eq!(seen, expected);
    let (_dir, none) = project(&[("README.md", "")]);
    assert_eq!((none.project.ecosystems.len(), none.project.commands.len()), (0, 0));
}
