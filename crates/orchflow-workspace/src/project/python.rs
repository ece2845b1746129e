//! Python: what is configured decides; the project's own virtual environment is used.

use std::path::PathBuf;

use orchflow_types::AgentType;
use orchflow_types::project::ProjectCommand;

use super::Found;
use super::files::{Folder, runs, words};

const PYPROJECT: &str = "pyproject.toml";

pub(super) fn look(folder: &Folder, found: &mut Found) {
    let pyproject = found.toml(folder, PYPROJECT);
    let marks = ["setup.py", "setup.cfg", "requirements.txt", "Pipfile", "pytest.ini", "tox.ini"];
    let sources = python_files(folder, "");
    let marked = pyproject.is_some() || folder.first(&marks).is_some();
    let tested = !test_files(folder).is_empty();
    // One script beside a project of another kind does not make it a Python project.
    if !marked && !tested && (sources.is_empty() || !found.ecosystems.is_empty()) {
        return;
    }
    found.ecosystem("python");
    let python = Python::of(folder);
    let project = Project {
        folder,
        setup: found.text(folder, "setup.cfg").unwrap_or_default(),
        tox: found.text(folder, "tox.ini").unwrap_or_default(),
        pyproject: pyproject.unwrap_or_default(),
        python,
        sources,
    };
    let commands =
        [project.build(), project.ruff(), project.flake8(), project.test(), project.format()];
    found.commands.extend(commands.into_iter().flatten());
}

/// The interpreter and where its programs are.
struct Python {
    program: String,
    /// The `bin` folder of the project's virtual environment.
    venv: Option<PathBuf>,
}

impl Python {
    fn of(folder: &Folder) -> Self {
        let venv = folder.first(&[".venv/bin/python", "venv/bin/python"]);
        if let Some(python) = venv {
            let path = folder.path(python);
            // Absolute: a worktree has no virtual environment of its own.
            let program = path.display().to_string();
            return Self { program, venv: path.parent().map(Into::into) };
        }
        let program = if runs("python3") || !runs("python") { "python3" } else { "python" };
        Self { program: program.to_owned(), venv: None }
    }

    /// A tool's program, in the virtual environment or on the path.
    fn tool(&self, name: &str) -> Option<PathBuf> {
        let own = self.venv.as_ref().map(|bin| bin.join(name)).filter(|path| path.exists());
        own.or_else(|| orchflow_runtime::env::find_program(name))
    }

    /// Words that run a tool: as a module of the interpreter where it is installed there.
    fn run(&self, name: &str) -> (Vec<String>, bool) {
        let module = words(&[&self.program, "-m", name]);
        let Some(tool) = self.tool(name) else { return (module, false) };
        let bin = orchflow_runtime::env::find_program(&self.program);
        let beside = bin.is_some_and(|python| python.parent() == tool.parent());
        let inside = self.venv.as_deref() == tool.parent();
        if beside || inside { (module, true) } else { (words(&[name]), self.venv.is_none()) }
    }

    /// Whether a package is among the interpreter's own, by its folder.
    fn has_package(&self, name: &str) -> bool {
        let bin = match &self.venv {
            Some(bin) => Some(bin.clone()),
            None => orchflow_runtime::env::find_program(&self.program)
                .and_then(|python| python.parent().map(Into::into)),
        };
        let Some(prefix) = bin.as_deref().and_then(|bin| bin.parent()) else { return false };
        let Ok(versions) = std::fs::read_dir(prefix.join("lib")) else { return false };
        versions.flatten().any(|version| {
            let places = ["site-packages", "dist-packages"];
            version.file_name().to_string_lossy().starts_with("python3")
                && places
                    .iter()
                    .any(|place| version.path().join(place).join(name).join("__main__.py").exists())
        })
    }

    fn install(&self, package: &str) -> Option<String> {
        Some(format!("{} -m pip install {package}", self.program))
    }
}

struct Project<'a> {
    folder: &'a Folder,
    pyproject: toml::Table,
    setup: String,
    tox: String,
    python: Python,
    sources: Vec<String>,
}

impl Project<'_> {
    fn has_tool(&self, name: &str) -> bool {
        self.pyproject.get("tool").is_some_and(|tools| tools.get(name).is_some())
    }

    fn command(
        &self,
        purpose: AgentType,
        framework: &str,
        argv: &[String],
        reason: String,
    ) -> ProjectCommand {
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        self.folder.command(purpose, framework, &argv, reason)
    }

    fn build(&self) -> Option<ProjectCommand> {
        if self.pyproject.contains_key("build-system") && self.python.has_package("build") {
            let reason = format!("{}: [build-system]", self.folder.label(PYPROJECT));
            let argv = words(&[&self.python.program, "-m", "build"]);
            let mut build = self.command(AgentType::Build, "python-build", &argv, reason);
            build.confidence = 0.8;
            return Some(build);
        }
        let places = self.source_places();
        if places.is_empty() {
            return None;
        }
        let mut argv = words(&[&self.python.program, "-m", "compileall", "-q"]);
        argv.extend(places);
        let reason = "there is no build to run: that every source file compiles is checked";
        let mut build = self.command(AgentType::Build, "compileall", &argv, reason.to_owned());
        build.confidence = 0.7;
        Some(build)
    }

    /// `src`, packages and tests beside it, and single files.
    fn source_places(&self) -> Vec<String> {
        let mut places: Vec<String> = ["src", "tests", "test"]
            .into_iter()
            .filter(|name| self.folder.path(name).is_dir())
            .map(str::to_owned)
            .collect();
        for name in self.folder.entries("") {
            if !places.contains(&name) && self.folder.has(&format!("{name}/__init__.py")) {
                places.push(name);
            }
        }
        places.extend(self.sources.iter().cloned());
        places
    }

    fn test(&self) -> Option<ProjectCommand> {
        let tests = test_files(self.folder);
        if let Some(reason) = self.pytest_reason(&tests) {
            let (argv, available) = self.python.run("pytest");
            let mut test = self.command(AgentType::Test, "pytest", &argv, reason);
            test.available = available;
            if !available {
                test.install = self.python.install("pytest");
            }
            return Some(test);
        }
        let first = tests.first()?;
        let mut argv = words(&[&self.python.program, "-m", "unittest"]);
        // Without `__init__.py` the folder is only looked into when it is named.
        if let Some((dir, _)) = first.split_once('/')
            && !self.folder.has(&format!("{dir}/__init__.py"))
        {
            argv.extend(words(&["discover", "-s", dir]));
        }
        let reason = format!("{}, and nothing that asks for pytest", self.folder.label(first));
        let mut test = self.command(AgentType::Test, "unittest", &argv, reason);
        test.confidence = 0.85;
        Some(test)
    }

    fn pytest_reason(&self, tests: &[String]) -> Option<String> {
        let label = |name: &str| Some(self.folder.label(name));
        if self.has_tool("pytest") {
            return Some(format!("{}: [tool.pytest]", self.folder.label(PYPROJECT)));
        }
        if let Some(file) = self.folder.first(&[
            "pytest.ini",
            ".pytest.ini",
            "conftest.py",
            "tests/conftest.py",
            "test/conftest.py",
        ]) {
            return label(file);
        }
        if self.setup.contains("[tool:pytest]") {
            return Some(format!("{}: [tool:pytest]", self.folder.label("setup.cfg")));
        }
        if self.tox.contains("[pytest]") {
            return Some(format!("{}: [pytest]", self.folder.label("tox.ini")));
        }
        let listed =
            ["requirements.txt", "requirements-dev.txt", "dev-requirements.txt", PYPROJECT];
        let names = |file: &&str| {
            let text = self.folder.read(file).and_then(Result::ok).unwrap_or_default();
            text.lines().any(|line| line.trim_matches([' ', '"', '\'']).starts_with("pytest"))
        };
        if let Some(file) = listed.iter().find(|file| names(file)) {
            return Some(format!("{}: it lists pytest", self.folder.label(file)));
        }
        let style = |file: &&String| {
            let text = self.folder.read(file).and_then(Result::ok).unwrap_or_default();
            text.lines().any(|line| {
                line.starts_with("import pytest")
                    || line.starts_with("from pytest")
                    || line.starts_with("def test_")
                    || line.starts_with("async def test_")
            })
        };
        let file = tests.iter().take(50).find(style)?;
        Some(format!("{}: its tests are written for pytest", self.folder.label(file)))
    }

    fn ruff_config(&self) -> Option<String> {
        if self.has_tool("ruff") {
            return Some(format!("{}: [tool.ruff]", self.folder.label(PYPROJECT)));
        }
        self.folder.first(&["ruff.toml", ".ruff.toml"]).map(|file| self.folder.label(file))
    }

    /// A command of ruff's; where it is not configured only if it is there.
    fn ruff_command(
        &self,
        purpose: AgentType,
        check: &[&str],
        fix: &[&str],
    ) -> Option<ProjectCommand> {
        let config = self.ruff_config();
        let tool = self.python.tool("ruff");
        if config.is_none() && tool.is_none() {
            return None;
        }
        let own = self.python.venv.as_deref();
        let program = match &tool {
            Some(tool) if own.is_some() && tool.parent() == own => tool.display().to_string(),
            _ => "ruff".to_owned(),
        };
        let argv = |more: &[&str]| -> Vec<String> {
            std::iter::once(program.clone()).chain(words(more)).collect()
        };
        let confidence = if config.is_some() { 0.95 } else { 0.5 };
        let reason =
            config.unwrap_or_else(|| "ruff is installed; nothing configures it".to_owned());
        let mut command = self.command(purpose, "ruff", &argv(check), reason);
        command.fix_argv = argv(fix);
        command.confidence = confidence;
        command.available = tool.is_some();
        if !command.available {
            command.install = self.python.install("ruff");
        }
        Some(command)
    }

    fn ruff(&self) -> Option<ProjectCommand> {
        if self.ruff_config().is_none() && self.flake8().is_some() {
            return None;
        }
        self.ruff_command(AgentType::Lint, &["check", "."], &["check", "--fix", "."])
    }

    fn flake8(&self) -> Option<ProjectCommand> {
        let reason = if self.folder.has(".flake8") {
            self.folder.label(".flake8")
        } else if self.setup.contains("[flake8]") {
            format!("{}: [flake8]", self.folder.label("setup.cfg"))
        } else if self.tox.contains("[flake8]") {
            format!("{}: [flake8]", self.folder.label("tox.ini"))
        } else {
            return None;
        };
        let (argv, available) = self.python.run("flake8");
        let mut lint = self.command(AgentType::Lint, "flake8", &argv, reason);
        lint.available = available;
        lint.install = if available { None } else { self.python.install("flake8") };
        Some(lint)
    }

    fn format(&self) -> Option<ProjectCommand> {
        if !self.has_tool("black") {
            let check = ["format", "--check", "."];
            return self.ruff_command(AgentType::Format, &check, &["format", "."]);
        }
        let (run, available) = self.python.run("black");
        let argv =
            |more: &[&str]| -> Vec<String> { run.iter().cloned().chain(words(more)).collect() };
        let reason = format!("{}: [tool.black]", self.folder.label(PYPROJECT));
        let mut format = self.command(AgentType::Format, "black", &argv(&["--check", "."]), reason);
        format.fix_argv = argv(&["."]);
        format.available = available;
        format.install = if available { None } else { self.python.install("black") };
        Some(format)
    }
}

fn python_files(folder: &Folder, dir: &str) -> Vec<String> {
    folder.entries(dir).into_iter().filter(|name| name.ends_with(".py")).collect()
}

/// Test files in the folder itself, `tests` and `test`, by the names both tools look for.
fn test_files(folder: &Folder) -> Vec<String> {
    let mut files = Vec::new();
    for dir in ["", "tests", "test"] {
        for name in python_files(folder, dir) {
            if name.starts_with("test_") || name.ends_with("_test.py") || name == "tests.py" {
                files.push(if dir.is_empty() { name } else { format!("{dir}/{name}") });
            }
        }
    }
    files
}
