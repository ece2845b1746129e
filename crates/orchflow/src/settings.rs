//! Settings: defaults, then the user's file, then the file of a trusted project, then the
//! environment; what a command's flags say goes with its call and beats them all.
//!
//! Each value knows where it came from. What no setting takes is an error with its file
//! and line, never passed over. This knows no argv and no method; see [`noun`] for those.

mod edit;
mod error;
mod file;
mod keys;
pub mod noun;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use orchflow_agent::{Format, Mode};
use orchflow_protocol::trust::TrustFile;
use orchflow_types::run::{RunMode, RunOptions};
use orchflow_types::{AgentKind, Role};
use orchflow_workspace::trust::ConfigFile;
use serde_json::Value;

pub use edit::set;
pub use error::{Error, Place};
pub use keys::without_effect;

use crate::places::Places;

/// Every setting, layered and checked.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What a run may and must do when its caller does not say; the roles' chains are in it.
    pub run: RunOptions,
    /// The extra words for each role's prompt.
    pub prompts: BTreeMap<Role, String>,
    /// The agents configuration names, by name.
    pub agents: Vec<Agent>,
    /// Each setting that has a value, by its dotted name.
    pub values: BTreeMap<String, Sourced>,
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sourced {
    /// The value.
    pub value: Value,
    /// `default`, `FILE:LINE`, or a variable.
    pub origin: String,
}

/// An agent as configuration describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The name chains and plans use.
    pub name: String,
    /// How it is driven.
    pub kind: AgentKind,
    /// Its command line, word by word, with `{prompt}` and the like still in it.
    pub command: Vec<String>,
    /// Variables set for it.
    pub env: BTreeMap<String, String>,
    /// Variables of the daemon's own environment that it may have, secrets by name.
    pub pass_env: Vec<String>,
    /// What it reads from and writes to.
    pub mode: Mode,
    /// What it prints.
    pub format: Format,
}

/// The layers above the defaults, lowest first.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The user's file.
    pub user: PathBuf,
    /// The file of a project, as the user trusted it: its path, and its text.
    pub project: Option<(PathBuf, String)>,
}

impl Layers {
    /// The user's file alone.
    #[must_use]
    pub fn of_user(places: &Places) -> Self {
        Self { user: places.config().to_owned(), project: None }
    }

    /// The user's file and that of the project in `dir`, where it is among the `trusted` ones.
    ///
    /// # Errors
    /// When it cannot be read, or has other content than what is trusted.
    pub fn of_project(places: &Places, dir: &Path, trusted: &[TrustFile]) -> Result<Self, Error> {
        let file = trusted.iter().find(|file| file.path == PROJECT_FILE);
        let text = file.map(|file| trusted_text(dir, file)).transpose()?;
        let project = text.map(|text| (project_file(dir), text));
        Ok(Self { user: places.config().to_owned(), project })
    }
}

/// Where a project keeps its own settings.
const PROJECT_FILE: &str = ".orchflow/config.toml";

/// Where the project in `dir` keeps its own settings.
#[must_use]
pub fn project_file(dir: &Path) -> PathBuf {
    dir.join(PROJECT_FILE)
}

/// The text of a trusted file of the project in `dir`: the very bytes whose hash is trusted.
///
/// # Errors
/// When it cannot be read, is no text, or has other content by now.
pub fn trusted_text(dir: &Path, file: &TrustFile) -> Result<String, Error> {
    let TrustFile { path, size, hash } = file.clone();
    let known = ConfigFile { path, size, hash };
    let content = orchflow_workspace::trust::content(dir, &known).map_err(Error::Project)?;
    let path = dir.join(&file.path);
    let content = content.ok_or_else(|| Error::Moved { path: path.clone() })?;
    String::from_utf8(content).map_err(|_| Error::File {
        attempt: "read",
        path,
        source: std::io::ErrorKind::InvalidData.into(),
    })
}

impl Settings {
    /// Reads every layer; `variable` answers the environment.
    ///
    /// # Errors
    /// The first thing that is wrong, with its file and line.
    pub fn load(layers: &Layers, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut values = BTreeMap::new();
        for key in keys::KEYS {
            let value = (key.default)();
            if !value.is_null() {
                let sourced = Sourced { value, origin: "default".into() };
                values.insert(key.name.to_owned(), sourced);
            }
        }
        let mut given = file::read(&layers.user)?;
        if let Some((path, text)) = &layers.project {
            given.extend(file::parse(path, text)?);
        }
        given.extend(from_variables(variable)?);
        for file::Given { key, value, origin } in given {
            values.insert(key, Sourced { value, origin });
        }
        Self::from_values(values)
    }

    /// The same with the environment of this process.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn of_process(layers: &Layers) -> Result<Self, Error> {
        Self::load(layers, orchflow_runtime::env::var)
    }

    fn from_values(values: BTreeMap<String, Sourced>) -> Result<Self, Error> {
        let mut run = run_options(&values);
        let mut prompts = BTreeMap::new();
        for role in Role::ALL {
            if let Some(chain) = values.get(&format!("roles.{role}.chain")) {
                run.chains.insert(role, texts(&chain.value));
            }
            if let Some(prompt) = values.get(&format!("roles.{role}.prompt")) {
                prompts.insert(role, text(&prompt.value));
            }
        }
        Ok(Self { run, prompts, agents: agents(&values)?, values })
    }
}

/// Settings by variable: `run.max_concurrency` is `ORCHFLOW_RUN_MAX_CONCURRENCY`.
fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<file::Given>, Error> {
    let mut found = Vec::new();
    for key in keys::KEYS.iter().filter(|key| !key.name.contains('*')) {
        let name = format!("ORCHFLOW_{}", key.name.replace('.', "_").to_uppercase());
        let Some(given) = variable(&name) else { continue };
        let value = value_of_text(key.shape, &given);
        let place = Place(name);
        let value = file::checked(key.shape, key.name, value, &place)?;
        found.push(file::Given { key: key.name.to_owned(), value, origin: place.0 });
    }
    Ok(found)
}

/// A value out of bare text, as variables and command lines give it.
fn value_of_text(shape: keys::Shape, given: &str) -> Value {
    use keys::Shape;
    match shape {
        Shape::Text | Shape::Choice(..) | Shape::Words if !given.starts_with('[') => {
            Value::String(given.to_owned())
        }
        Shape::Texts if !given.starts_with('[') => {
            given.split(',').map(|word| Value::String(word.trim().to_owned())).collect()
        }
        _ => serde_json::from_str(given).unwrap_or_else(|_| Value::String(given.to_owned())),
    }
}

/// The value that bare text means for the setting `key`; text for a setting that is not known.
#[must_use]
pub fn value_for(key: &str, given: &str) -> Value {
    keys::find(key)
        .map_or_else(|| Value::String(given.to_owned()), |row| value_of_text(row.shape, given))
}

fn run_options(values: &BTreeMap<String, Sourced>) -> RunOptions {
    let value = |key: &str| values.get(key).map_or(&Value::Null, |sourced| &sourced.value);
    let number = |key: &str| {
        u32::try_from(value(key).as_u64().unwrap_or(0)).expect("the table bounds it below u32::MAX")
    };
    let flag = |key: &str| value(key).as_bool().unwrap_or(false);
    let parallel = value("run.mode").as_str() == Some("parallel");
    RunOptions {
        mode: if parallel { RunMode::Parallel } else { RunMode::Sequential },
        max_concurrency: number("run.max_concurrency"),
        max_iterations: number("run.max_iterations"),
        auto_approve: flag("run.auto_approve"),
        commit: flag("run.commit"),
        from_working_tree: false,
        minutes: number("budget.minutes"),
        turn_seconds: number("run.turn_seconds"),
        idle_seconds: number("run.idle_seconds"),
        chains: BTreeMap::new(),
        agents: BTreeMap::new(),
    }
}

fn agents(values: &BTreeMap<String, Sourced>) -> Result<Vec<Agent>, Error> {
    let mut names: Vec<(&str, &str)> = values
        .iter()
        .filter_map(|(key, sourced)| {
            let name = key.strip_prefix("agents.")?.split('.').next()?;
            Some((name, sourced.origin.as_str()))
        })
        .collect();
    names.dedup_by_key(|(name, _)| *name);
    names.into_iter().map(|(name, origin)| agent(values, name, origin)).collect()
}

fn agent(values: &BTreeMap<String, Sourced>, name: &str, origin: &str) -> Result<Agent, Error> {
    let value = |key: &str| values.get(&format!("agents.{name}.{key}")).map(|found| &found.value);
    let missing =
        |missing| Error::Agent { place: Place(origin.to_owned()), name: name.to_owned(), missing };
    let kind = value("kind").ok_or_else(|| missing("kind"))?;
    let kind = word(Some(kind)).expect("it was just found");
    let command = match value("command") {
        Some(Value::String(line)) => {
            let place = Place(origin.to_owned());
            shlex::split(line).ok_or_else(|| Error::Quote { place, name: name.to_owned() })?
        }
        Some(list) => texts(list),
        None if kind == AgentKind::Command => return Err(missing("command")),
        None => Vec::new(),
    };
    let env = value("env").and_then(Value::as_object);
    Ok(Agent {
        name: name.to_owned(),
        kind,
        command,
        env: env.into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect(),
        pass_env: value("pass_env").map(texts).unwrap_or_default(),
        mode: word(value("mode")).unwrap_or_default(),
        format: word(value("format")).unwrap_or_default(),
    })
}

/// One of a choice's words as the type that has them.
fn word<T: serde::de::DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    let read = |value: &Value| serde_json::from_value(value.clone());
    value.map(|value| read(value).expect("the table lets only the words through that it has"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().map(|list| list.iter().map(text).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
