//! JavaScript and TypeScript: `package.json`, its scripts, and the package manager it asks for.

use orchflow_types::AgentType;
use orchflow_types::project::ProjectCommand;
use serde_json::Value;

use super::Found;
use super::files::{Folder, runs, words};

const PACKAGE: &str = "package.json";

pub(super) fn look(folder: &Folder, found: &mut Found) {
    let Some(package) = found.json(folder, PACKAGE) else { return };
    let manager = Manager::of(folder, &package);
    found.ecosystem(manager.name);
    let package = Package { folder, manager, package: &package };
    let commands = [
        package.script(AgentType::Build, &["build"]),
        package.lint(),
        package.script(AgentType::Lint, &["typecheck", "type-check", "check-types", "tsc"]),
        package.test(),
        package.format(),
    ];
    found.commands.extend(commands.into_iter().flatten());
}

/// The program that runs scripts.
struct Manager {
    name: &'static str,
    /// What installs the dependencies as they are locked.
    install: &'static str,
}

impl Manager {
    fn of(folder: &Folder, package: &Value) -> Self {
        const NPM: [&str; 2] = ["package-lock.json", "npm-shrinkwrap.json"];
        let asked = package.get("packageManager").and_then(Value::as_str).unwrap_or_default();
        let asked = asked.split('@').next().unwrap_or_default();
        let name = match asked {
            "pnpm" => "pnpm",
            "yarn" => "yarn",
            "npm" => "npm",
            _ if folder.has("pnpm-lock.yaml") => "pnpm",
            _ if folder.has("yarn.lock") => "yarn",
            _ => "npm",
        };
        let install = match name {
            "pnpm" => "pnpm install --frozen-lockfile",
            "yarn" => "yarn install",
            _ if folder.first(&NPM).is_some() => "npm ci",
            _ => "npm install",
        };
        Self { name, install }
    }
}

struct Package<'a> {
    folder: &'a Folder,
    manager: Manager,
    package: &'a Value,
}

impl Package<'_> {
    fn text_of(&self, script: &str) -> Option<&str> {
        self.package.get("scripts")?.get(script)?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// Words that run a script, with words for the tool behind it.
    fn run(&self, script: &str, more: &[&str]) -> Vec<String> {
        let mut argv = words(&[self.manager.name, "run", script]);
        // npm keeps for itself what is not behind the dashes; the others pass the dashes on.
        if !more.is_empty() && self.manager.name == "npm" {
            argv.push("--".to_owned());
        }
        argv.extend(words(more));
        argv
    }

    fn command(
        &self,
        purpose: AgentType,
        framework: &str,
        argv: &[String],
        reason: String,
    ) -> ProjectCommand {
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        let mut command = self.folder.command(purpose, framework, &argv, reason);
        if !runs(self.manager.name) {
            let manager = self.manager.name;
            command.install = Some(format!("npm install --global {manager}"));
        } else if self.needs_packages() && !self.folder.has("node_modules") {
            command.available = false;
            command.install = Some(self.manager.install.to_owned());
        }
        command
    }

    fn needs_packages(&self) -> bool {
        let some =
            |key| self.package.get(key).and_then(Value::as_object).is_some_and(|o| !o.is_empty());
        // With plug-and-play, packages are where node_modules never is.
        (some("dependencies") || some("devDependencies")) && !self.folder.has(".pnp.cjs")
    }

    fn reason(&self, script: &str) -> String {
        format!("{}: scripts.{script}", self.folder.label(PACKAGE))
    }

    fn script(&self, purpose: AgentType, names: &[&str]) -> Option<ProjectCommand> {
        let name = names.iter().find(|name| self.text_of(name).is_some())?;
        let argv = self.run(name, &[]);
        Some(self.command(purpose, self.manager.name, &argv, self.reason(name)))
    }

    fn test(&self) -> Option<ProjectCommand> {
        let text = self.text_of("test").filter(|text| !text.contains("no test specified"));
        let Some(text) = text else { return self.bare_tests() };
        let word =
            |wanted: &str| text.split(|c: char| c.is_whitespace() || c == '/').any(|w| w == wanted);
        let framework = [("vitest", "vitest"), ("jest", "jest"), ("mocha", "mocha")]
            .into_iter()
            .find(|(name, _)| word(name))
            .map(|(_, framework)| framework);
        // In a terminal these would stay and watch.
        let once: &[&str] = match framework {
            Some("vitest") if !word("run") && !word("--run") => &["--run"],
            Some("jest") if word("--watch") || word("--watchAll") => &["--watchAll=false"],
            None if word("react-scripts") => &["--watchAll=false"],
            _ => &[],
        };
        let framework = match framework {
            Some(framework) => framework,
            None if word("react-scripts") => "jest",
            None if word("--test") && word("node") => "node-test",
            None => self.manager.name,
        };
        let argv = self.run("test", once);
        Some(self.command(AgentType::Test, framework, &argv, self.reason("test")))
    }

    /// Test files without a script: node's own runner finds them.
    fn bare_tests(&self) -> Option<ProjectCommand> {
        let is_test = |name: &String| {
            let stem = name.strip_suffix(".js").or_else(|| name.strip_suffix(".mjs"));
            let stem = stem.or_else(|| name.strip_suffix(".cjs"));
            stem.is_some_and(|stem| stem.ends_with(".test") || stem.ends_with("-test"))
        };
        let file = ["", "test", "tests", "src"].into_iter().find_map(|dir| {
            let name = self.folder.entries(dir).into_iter().find(is_test)?;
            Some(if dir.is_empty() { name } else { format!("{dir}/{name}") })
        })?;
        let reason = format!("{}, and no test script", self.folder.label(&file));
        let argv = words(&["node", "--test"]);
        let mut command = self.command(AgentType::Test, "node-test", &argv, reason);
        command.confidence = 0.6;
        Some(command)
    }

    fn lint(&self) -> Option<ProjectCommand> {
        if let Some(text) = self.text_of("lint") {
            let eslint = text.split_whitespace().any(|word| word == "eslint" || word == "next");
            let framework = if eslint { "eslint" } else { self.manager.name };
            let argv = self.run("lint", &[]);
            let mut lint = self.command(AgentType::Lint, framework, &argv, self.reason("lint"));
            if self.text_of("lint:fix").is_some() {
                lint.fix_argv = self.run("lint:fix", &[]);
            } else if eslint && !text.contains("&&") && !text.contains('|') {
                lint.fix_argv = self.run("lint", &["--fix"]);
            }
            return Some(lint);
        }
        let configs = [
            "eslint.config.js",
            "eslint.config.mjs",
            "eslint.config.cjs",
            "eslint.config.ts",
            ".eslintrc.json",
            ".eslintrc.js",
            ".eslintrc.cjs",
            ".eslintrc.yml",
            ".eslintrc",
        ];
        let config = self.folder.first(&configs)?;
        Some(self.tool(AgentType::Lint, "eslint", &["."], &["--fix", "."], config))
    }

    fn format(&self) -> Option<ProjectCommand> {
        let checks = [
            "format:check",
            "check:format",
            "format-check",
            "check-format",
            "fmt:check",
            "prettier:check",
            "prettier-check",
        ];
        let writes = ["format", "fmt", "format:fix", "format:write", "prettier"];
        let write = writes.into_iter().find(|name| {
            self.text_of(name).is_some_and(|text| {
                text.contains("--write") || text.contains(" -w") || text.contains("--fix")
            })
        });
        let fix = write.map(|name| self.run(name, &[]));
        let only_checks = |name: &&str| self.text_of(name).is_some_and(|t| t.contains("--check"));
        let check = checks.into_iter().find(|name| self.text_of(name).is_some());
        if let Some(check) = check.or_else(|| writes.into_iter().find(only_checks)) {
            let text = self.text_of(check).unwrap_or_default();
            let framework = if text.contains("prettier") { "prettier" } else { self.manager.name };
            let argv = self.run(check, &[]);
            let mut format = self.command(AgentType::Format, framework, &argv, self.reason(check));
            format.fix_argv = fix.unwrap_or_default();
            return Some(format);
        }
        let configs = [
            ".prettierrc",
            ".prettierrc.json",
            ".prettierrc.js",
            ".prettierrc.yaml",
            ".prettierrc.yml",
            "prettier.config.js",
            "prettier.config.mjs",
            "prettier.config.cjs",
        ];
        let writes_prettier =
            write.filter(|name| self.text_of(name).is_some_and(|text| text.contains("prettier")));
        let config = self.folder.first(&configs).or(writes_prettier.map(|_| PACKAGE))?;
        let mut format =
            self.tool(AgentType::Format, "prettier", &["--check", "."], &["--write", "."], config);
        if let Some((name, fix)) = writes_prettier.zip(fix) {
            format.fix_argv = fix;
            format.reason = self.reason(name);
        }
        Some(format)
    }

    /// A tool among the installed packages, by its path: nothing is ever downloaded to run.
    fn tool(
        &self,
        purpose: AgentType,
        name: &str,
        check: &[&str],
        fix: &[&str],
        config: &str,
    ) -> ProjectCommand {
        let program = format!("node_modules/.bin/{name}");
        let argv = |more: &[&str]| {
            let mut argv = vec![program.clone()];
            argv.extend(words(more));
            argv
        };
        let mut command = self.command(purpose, name, &argv(check), self.folder.label(config));
        command.fix_argv = argv(fix);
        command.confidence = 0.8;
        command.available = self.folder.has(&program);
        if !command.available && command.install.is_none() {
            command.install = Some(format!("npm install --save-dev {name}"));
        }
        command
    }
}
