//! Settings files as the orchestrator asks for them, project by project.

use std::path::{Path, PathBuf};

use orchflow_agent::AgentConfig;
use orchflow_orchestrator::{Configuration, Error, PolicyFile, ProjectSettings};
use orchflow_types::Explain;

use crate::places::Places;
use crate::settings::{Agent, Layers, Settings};

/// The files of this user, read anew each time so that an edit holds at once.
pub(super) struct Files {
    places: Places,
}

impl Files {
    pub(super) const fn new(places: Places) -> Self {
        Self { places }
    }
}

impl Configuration for Files {
    fn for_project(&self, root: &Path, trusted: bool) -> Result<ProjectSettings, Error> {
        let layers = if trusted {
            Layers::of_trusted_project(&self.places, root)
        } else {
            Layers::of_user(&self.places)
        };
        let settings = Settings::of_process(&layers).map_err(|error| Error::Configuration {
            reason: error.to_string(),
            hint: error.hint(),
        })?;
        let mut policies = policies(&self.places.policies())?;
        if trusted {
            policies.extend(self::policies(&root.join(".orchflow/policies"))?);
        }
        let agents = settings.agents.iter().map(agent).collect::<Result<_, _>>()?;
        Ok(ProjectSettings { run: settings.run, prompts: settings.prompts, agents, policies })
    }
}

fn agent(configured: &Agent) -> Result<AgentConfig, Error> {
    let words = configured.command.iter().map(String::as_str);
    let command = shlex::try_join(words).map_err(|_| Error::Configuration {
        reason: format!("the command of agent `{}` holds a NUL", configured.name),
        hint: None,
    })?;
    Ok(AgentConfig {
        command,
        env: configured.env.clone(),
        pass_env: configured.pass_env.clone(),
        mode: configured.mode,
        format: configured.format,
        ..AgentConfig::bare(&configured.name, configured.kind)
    })
}

/// The policy files of a folder, by name; a folder that is not there holds none.
fn policies(dir: &Path) -> Result<Vec<PolicyFile>, Error> {
    // Rules that cannot be read are not rules that are not there.
    let failed = |error: std::io::Error| Error::Policy {
        file: dir.display().to_string(),
        reason: error.to_string(),
    };
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(failed)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Error::Policy { file: name.clone(), reason: error.to_string() })?;
        Ok(PolicyFile { name, text })
    };
    paths.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_policies_that_cannot_be_read_is_an_error_and_one_that_is_not_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("policies");
        assert_eq!(policies(&missing).unwrap(), []);
        std::fs::write(&missing, "no folder").unwrap();
        assert!(policies(&missing).is_err());
    }
}
