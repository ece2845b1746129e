//! `system.doctor`: what orchflow needs on this machine and in a project, and how to mend it.

use std::time::Duration;

use orchflow_client::Error;
use orchflow_orchestrator::agents;
use orchflow_protocol::agent::ListParams;
use orchflow_protocol::git::DirParams as RepositoryParams;
use orchflow_protocol::project::DetectParams;
use orchflow_protocol::system::{Check, DoctorResult};
use orchflow_protocol::trust::DirParams;
use orchflow_runtime::env::find_program;
use orchflow_runtime::process::{self, Spec};
use orchflow_types::AgentKind;

use super::system::{self, Host};
use crate::talk::{from_inside, quoted};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at everything; what is wrong is a check that is not ok, never an error.
pub(super) async fn examine(host: &Host, dir: Option<String>) -> Result<DoctorResult, Error> {
    let mut checks = vec![socket(host), system::database(host).await];
    checks.push(program("git", &["--version"], true, "apt install git").await);
    checks.push(program("tmux", &["-V"], false, "apt install tmux").await);
    checks.extend(found_agents(host, dir.as_deref()).await?);
    if let Some(dir) = dir {
        checks.extend(project(host, dir).await);
    }
    Ok(DoctorResult { checks })
}

fn socket(host: &Host) -> Check {
    let found = host.places.socket().display().to_string();
    Check {
        group: "daemon".into(),
        name: "socket".into(),
        ok: true,
        required: true,
        found,
        mend: None,
    }
}

async fn program(name: &str, version: &[&str], required: bool, install: &str) -> Check {
    // By its path, so that what is asked is what `PATH` names and nothing in some folder.
    let path =
        find_program(name).map_or_else(|| name.to_owned(), |path| path.display().to_string());
    let words = std::iter::once(path.as_str()).chain(version.iter().copied());
    let said = process::output(&Spec::new(words, "/"), 4096, PATIENCE).await;
    let found = match said {
        Ok(output) if output.status.success() => Ok(output.text()),
        Ok(output) => {
            Err(format!("it exited with {}: {}", output.status.code, output.error_text()))
        }
        Err(error) => Err(error.to_string()),
    };
    Check {
        group: "tools".into(),
        name: name.into(),
        ok: found.is_ok(),
        required,
        mend: found.is_err().then(|| install.to_owned()),
        found: found.unwrap_or_else(|problem| problem),
    }
}

async fn found_agents(host: &Host, dir: Option<&str>) -> Result<Vec<Check>, Error> {
    let params = ListParams { dir: dir.map(str::to_owned) };
    let found = agents::list(host.orchestrator.clone(), params).await?.agents;
    let coders = found.into_iter().filter(|agent| agent.kind != AgentKind::Tool);
    let check = |agent: orchflow_types::agent::FoundAgent| Check {
        group: "agents".into(),
        name: agent.name,
        ok: agent.available,
        required: false,
        found: agent.version.or(agent.note).or(agent.program).unwrap_or_else(|| "not found".into()),
        mend: agent.install.filter(|_| !agent.available),
    };
    Ok(coders.map(check).collect())
}

async fn project(host: &Host, dir: String) -> Vec<Check> {
    let manager = host.manager.clone();
    let check = |name: &str, found: Result<String, Error>| Check {
        group: "project".into(),
        name: name.into(),
        ok: found.is_ok(),
        required: false,
        mend: found.as_ref().err().and_then(|error| error.data.hint.clone()),
        found: found.unwrap_or_else(|error| error.message),
    };
    let status =
        orchflow_manager::git::status(manager.clone(), RepositoryParams { dir: dir.clone() }).await;
    let repository = status.map_err(Error::from).map(|status| {
        let branch = status.branch.unwrap_or_else(|| "detached HEAD".into());
        let operation =
            status.operation.map(|name| format!(", in the middle of a {name}")).unwrap_or_default();
        format!("{branch}{operation}, {} dirty paths", status.dirty.len())
    });
    let detected =
        orchflow_manager::projects::detect(manager.clone(), DetectParams { dir: dir.clone() })
            .await;
    let commands = detected.map_err(Error::from).map(|project| {
        let told = project.commands.iter().map(|command| {
            let purpose = command.purpose;
            format!(
                "{:<6} {}",
                purpose.as_str(),
                quoted(&from_inside(&command.argv, &project.root))
            )
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() {
            "no build, test, lint or format command was found".into()
        } else {
            told.join("\n")
        }
    });
    let trust = orchflow_manager::trust::get(manager, DirParams { dir }).await;
    let trust = trust.map_err(Error::from).and_then(|trust| {
        match (trust.files.is_empty(), trust.trusted) {
            (true, _) => Ok("it has no configuration of its own".into()),
            (false, true) => Ok("its configuration is trusted".into()),
            (false, false) => {
                let text = "its own configuration is not trusted and has no effect";
                Err(Error::new(orchflow_types::ErrorKind::Untrusted, text).hint("orchflow trust"))
            }
        }
    });
    vec![check("repository", repository), check("commands", commands), check("trust", trust)]
}
