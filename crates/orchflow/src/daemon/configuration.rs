//! Settings files as the orchestrator asks for them, project by project.

use std::path::{Path, PathBuf};

use orchflow_agent::AgentConfig;
use orchflow_orchestrator::{Configuration, Error, PolicyFile, ProjectSettings};
use orchflow_protocol::trust::TrustFile;
use orchflow_types::Explain;

use crate::places::Places;
use crate::settings::{self, Agent, Layers, Settings, trusted_text};

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
    fn for_project(&self, root: &Path, trusted: &[TrustFile]) -> Result<ProjectSettings, Error> {
        let settings = Layers::of_project(&self.places, root, trusted)
            .and_then(|layers| Settings::of_process(&layers))
            .map_err(told)?;
        let mut policies = policies(&self.places.policies())?;
        policies.extend(policies_of(root, trusted)?);
        let agents = settings.agents.iter().map(agent).collect::<Result<_, _>>()?;
        Ok(ProjectSettings { run: settings.run, prompts: settings.prompts, agents, policies })
    }
}

fn told(error: settings::Error) -> Error {
    match error {
        settings::Error::Moved { .. } => Error::Called(orchflow_client::Error::explain(&error)),
        error => Error::Configuration { reason: error.to_string(), hint: error.hint() },
    }
}

/// The policy files of a project that are trusted, by name.
fn policies_of(root: &Path, trusted: &[TrustFile]) -> Result<Vec<PolicyFile>, Error> {
    let is_policy = |file: &&TrustFile| {
        let name = file.path.strip_prefix(".orchflow/policies/");
        name.is_some_and(|name| name.ends_with(".toml") && !name.contains('/'))
    };
    let read = |file: &TrustFile| {
        let name = root.join(&file.path).display().to_string();
        Ok(PolicyFile { name, text: trusted_text(root, file).map_err(told)? })
    };
    trusted.iter().filter(is_policy).map(read).collect()
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

    #[test]
    fn a_file_of_a_project_has_effect_as_it_was_trusted_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let rule = "[[rule]]\neffect = \"deny\"\nmatch = \"x\"\n";
        for (name, text) in [("config.toml", "[budget]\nminutes = 7\n"), ("policies/p.toml", rule)]
        {
            let path = root.join(".orchflow").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let found = orchflow_workspace::trust::fingerprint(root).unwrap().files.into_iter();
        let trusted: Vec<TrustFile> = found
            .map(|file| TrustFile { path: file.path, size: file.size, hash: file.hash })
            .collect();
        let home = Some(root.join("home"));
        let given = crate::places::Given { orchflow_home: home, ..Default::default() };
        let files = Files::new(Places::from(&given).unwrap());
        let before = files.for_project(root, &trusted).unwrap();
        assert_eq!((before.run.minutes, before.policies.len()), (7, 1));
        assert_ne!(files.for_project(root, &[]).unwrap().run.minutes, 7);
        // What came after trust was looked at is not read, and what changed is not used.
        std::fs::write(root.join(".orchflow/policies/q.toml"), rule).unwrap();
        assert_eq!(files.for_project(root, &trusted).unwrap().policies.len(), 1);
        for changed in ["policies/p.toml", "config.toml"] {
            let path = root.join(".orchflow").join(changed);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, format!("{text}# more\n")).unwrap();
            let error = files.for_project(root, &trusted).unwrap_err();
            assert_eq!(error.kind(), orchflow_types::ErrorKind::Untrusted, "{error}");
            std::fs::write(&path, text).unwrap();
        }
    }
}
