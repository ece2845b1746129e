//! Rust: `Cargo.toml`, and the author's own clippy line where the automation has one.

use orchflow_types::AgentType;

use super::Found;
use super::files::{Folder, runs, words};

const MANIFEST: &str = "Cargo.toml";

pub(super) fn look(folder: &Folder, found: &mut Found) {
    let Some(manifest) = found.toml(folder, MANIFEST) else { return };
    found.ecosystem("cargo");
    let workspace = manifest.get("workspace").and_then(toml::Value::as_table);
    // Without a package of its own, or with default members, cargo takes the right ones itself.
    let every = workspace.is_some_and(|workspace| {
        let package = manifest.contains_key("package");
        package && !workspace.contains_key("default-members") || author_takes_all(folder)
    });
    let scope = if every { &["--workspace"][..] } else { &[] };
    let label = folder.label(MANIFEST);

    let build = folder.command(
        AgentType::Build,
        "cargo",
        &[&["cargo", "build"], scope].concat(),
        label.clone(),
    );
    found.commands.push(build);
    tests(folder, scope, found);
    found.commands.push(lint(folder, scope));

    let all = if workspace.is_some() { &["--all"][..] } else { &[] };
    let check = [&["cargo", "fmt"], all, &["--check"]].concat();
    let config = folder.first(&["rustfmt.toml", ".rustfmt.toml"]);
    let reason = config.map_or(label, |config| folder.label(config));
    let mut format = folder.command(AgentType::Format, "rustfmt", &check, reason);
    format.fix_argv = words(&[&["cargo", "fmt"], all].concat());
    format.confidence = if config.is_some() { 0.95 } else { 0.85 };
    if !runs("cargo-fmt") {
        (format.available, format.install) = (false, Some("rustup component add rustfmt".into()));
    }
    found.commands.push(format);
}

fn tests(folder: &Folder, scope: &[&str], found: &mut Found) {
    const CONFIG: &str = ".config/nextest.toml";
    let argv = [&["cargo", "test"], scope].concat();
    let mut test = folder.command(AgentType::Test, "cargo-test", &argv, folder.label(MANIFEST));
    if folder.has(CONFIG) {
        let argv = [&["cargo", "nextest", "run"], scope].concat();
        let mut nextest = folder.command(AgentType::Test, "nextest", &argv, folder.label(CONFIG));
        if runs("cargo-nextest") {
            test.confidence = 0.8;
        } else {
            nextest.available = false;
            nextest.confidence = 0.7;
            nextest.install = Some("cargo install --locked cargo-nextest".into());
        }
        found.commands.push(nextest);
    }
    found.commands.push(test);
}

fn lint(folder: &Folder, scope: &[&str]) -> orchflow_types::project::ProjectCommand {
    let plain = [&["cargo", "clippy"], scope, &["--all-targets"]].concat();
    let (argv, reason) = match author_line(folder) {
        Some((line, file)) => {
            (line, format!("{}: the line with `cargo clippy`", folder.label(&file)))
        }
        None => (words(&plain), folder.label(MANIFEST)),
    };
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let mut lint = folder.command(AgentType::Lint, "clippy", &argv, reason);
    let flags = argv.iter().skip(2).take_while(|word| **word != "--").copied();
    let fix: Vec<&str> = ["cargo", "clippy", "--fix", "--allow-dirty", "--allow-staged"]
        .into_iter()
        .chain(flags)
        .collect();
    lint.fix_argv = words(&fix);
    lint.confidence = 0.9;
    if !runs("cargo-clippy") {
        (lint.available, lint.install) = (false, Some("rustup component add clippy".into()));
    }
    lint
}

/// Whether the project's own automation names the whole workspace to cargo.
fn author_takes_all(folder: &Folder) -> bool {
    automation(folder).iter().flat_map(|(_, text)| text.lines()).any(|line| {
        let test = line.contains("cargo test") || line.contains("cargo nextest");
        test && line.split_whitespace().any(|word| word == "--workspace" || word == "--all")
    })
}

/// Files that say how the author's machines build it, with their text.
fn automation(folder: &Folder) -> Vec<(String, String)> {
    let workflows = folder.entries(".github/workflows").into_iter();
    let files = workflows.map(|name| format!(".github/workflows/{name}"));
    let others = [".gitlab-ci.yml", "justfile", "Justfile", "Makefile"].map(str::to_owned);
    let read = |file: String| Some((folder.read(&file)?.ok()?, file));
    files.chain(others).filter_map(read).map(|(text, file)| (file, text)).collect()
}

/// The clippy command of the project's own automation, when it is plain words: the crate is
/// then judged as its author judges it.
fn author_line(folder: &Folder) -> Option<(Vec<String>, String)> {
    for (file, text) in automation(folder) {
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let Some(at) = line.find("cargo clippy") else { continue };
            let command = line[at..].trim().trim_end_matches(['"', '\'']);
            if command.chars().all(|c| c.is_ascii_alphanumeric() || " -_=,.:/".contains(c)) {
                let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
                return words.get(1).is_some_and(|w| w == "clippy").then_some((words, file));
            }
        }
    }
    None
}
