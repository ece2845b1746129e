//! What a project folder is, and the commands that build, test, lint and format it.
//!
//! Only files are read, at most [`LIMIT`] bytes of each; nothing of the project runs, no
//! interpreter is asked. Every command says which file or key chose it.

mod cargo;
mod files;
mod node;
mod python;

use std::path::Path;

use orchflow_types::AgentType;
use orchflow_types::project::{Project, ProjectCommand};

use files::Folder;

/// The most bytes of a file that are looked at.
pub const LIMIT: u64 = 1 << 20;

/// What was found in a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// The project.
    pub project: Project,
    /// Files that could not be read, each a sentence that names the file; not fatal.
    pub problems: Vec<String>,
}

/// Looks at `dir`, and at the folders in it when there is no project in itself.
#[must_use]
pub fn detect(dir: &Path) -> Detection {
    let root = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let mut found = Found::default();
    look(&Folder::new(&root, ""), &mut found);
    if found.ecosystems.is_empty() {
        for name in folders(&root) {
            look(&Folder::new(&root, &name), &mut found);
        }
    }
    // Stable: within a purpose what was found first stays first among equals.
    found.commands.sort_by(|a, b| {
        let key = |command: &ProjectCommand| purpose_order(command.purpose);
        key(a).cmp(&key(b)).then(b.confidence.total_cmp(&a.confidence))
    });
    let project = Project {
        root: root.display().to_string(),
        ecosystems: found.ecosystems,
        commands: found.commands,
    };
    Detection { project, problems: found.problems }
}

/// What the looks at one project gather.
#[derive(Default)]
struct Found {
    ecosystems: Vec<String>,
    commands: Vec<ProjectCommand>,
    problems: Vec<String>,
}

impl Found {
    fn ecosystem(&mut self, name: &str) {
        if !self.ecosystems.iter().any(|known| known == name) {
            self.ecosystems.push(name.to_owned());
        }
    }

    /// The text of a file, if there is one; a problem is noted.
    fn text(&mut self, folder: &Folder, name: &str) -> Option<String> {
        match folder.read(name)? {
            Ok(text) => Some(text),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// A TOML file; what is not TOML is a problem and an empty table.
    fn toml(&mut self, folder: &Folder, name: &str) -> Option<toml::Table> {
        let text = self.text(folder, name)?;
        match text.parse() {
            Ok(table) => Some(table),
            Err(error) => {
                let error: toml::de::Error = error;
                let first = error.message().lines().next().unwrap_or_default().to_owned();
                self.problems.push(format!("{} is not TOML: {first}", folder.label(name)));
                Some(toml::Table::new())
            }
        }
    }

    /// A JSON file; what is not JSON is a problem and null.
    fn json(&mut self, folder: &Folder, name: &str) -> Option<serde_json::Value> {
        let text = self.text(folder, name)?;
        match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.push(format!("{} is not JSON: {error}", folder.label(name)));
                Some(serde_json::Value::Null)
            }
        }
    }
}

fn look(folder: &Folder, found: &mut Found) {
    cargo::look(folder, found);
    node::look(folder, found);
    python::look(folder, found);
}

/// The folders in a folder, by name, without hidden ones and those that tools fill.
fn folders(root: &Path) -> Vec<String> {
    const FILLED: [&str; 6] = ["node_modules", "target", "dist", "build", "vendor", "venv"];
    const MOST: usize = 100;
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && !FILLED.contains(&name.as_str()))
        .collect();
    names.sort_unstable();
    names.truncate(MOST);
    names
}

fn purpose_order(purpose: AgentType) -> u8 {
    match purpose {
        AgentType::Build => 0,
        AgentType::Lint => 1,
        AgentType::Test => 2,
        AgentType::Format => 3,
        _ => 4,
    }
}
