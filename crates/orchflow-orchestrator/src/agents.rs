//! `agent.*`: who can do the work here, and who should.

use std::collections::BTreeMap;

use orchflow_agent::{AgentConfig, discover, router};
use orchflow_protocol::agent::{
    ListParams, ListResult, RouteParams, RouteResult, TypeInfo, TypesResult,
};
use orchflow_protocol::method::Empty;
use orchflow_types::plan::Plan;
use orchflow_types::{AgentKind, AgentType, Role};

use crate::{Error, Orchestrator, perform, policies};

/// `agent.types`.
///
/// # Errors
/// None; the signature is that of every noun.
pub async fn types(_cx: Orchestrator, _params: Empty) -> Result<TypesResult, Error> {
    let types = [
        (AgentType::Dev, "writes or changes code"),
        (AgentType::Test, "runs the project's tests"),
        (AgentType::Build, "builds the project"),
        (AgentType::Lint, "looks for style faults and common mistakes"),
        (AgentType::Format, "brings sources into the project's own format"),
        (AgentType::Repl, "runs one command"),
    ];
    let types =
        types.map(|(name, description)| TypeInfo { name, description: description.to_owned() });
    Ok(TypesResult { types: types.to_vec() })
}

/// `agent.list`: built-in and configured agents, found or not.
///
/// # Errors
/// When the configuration cannot be read.
pub async fn list(cx: Orchestrator, params: ListParams) -> Result<ListResult, Error> {
    let known = known(&cx, params.dir.as_deref().unwrap_or("/")).await?;
    let mut agents = discover::discover(&known).await;
    agents.sort_by_key(|agent| !agent.available);
    Ok(ListResult { agents })
}

/// `agent.route`.
///
/// # Errors
/// When the words are empty, or the folder cannot be looked at.
pub async fn route(cx: Orchestrator, params: RouteParams) -> Result<RouteResult, Error> {
    if params.input.trim().is_empty() {
        return Err(Error::EmptyField { field: "input" });
    }
    let project = match params.context.dir {
        Some(dir) => Some(perform::detect(&cx, &dir).await?),
        None => None,
    };
    Ok(router::route(&params.input, project.as_ref()))
}

/// An agent by its name in configuration; none is the tool, which runs commands of the plan
/// and gates. `agents.tool` says which variables it gets.
pub(crate) async fn by_name(
    cx: &Orchestrator,
    project: &str,
    name: Option<&str>,
) -> Result<AgentConfig, Error> {
    let mut known = known(cx, project).await?;
    let Some(name) = name else {
        let tool = known.into_iter().find(|agent| agent.kind == AgentKind::Tool);
        return Ok(tool.unwrap_or_else(AgentConfig::tool));
    };
    match known.iter().position(|agent| agent.name == name) {
        Some(place) => Ok(known.swap_remove(place)),
        None => Err(unknown(name, &known)),
    }
}

/// How an agent is started: its program's path, then the words of its template. None for a
/// tool, which starts what its leaf says, and for an agent that cannot be started at all.
pub(crate) fn start(agent: &AgentConfig) -> Option<Vec<String>> {
    is_coder(agent).then(|| agent.words().ok()).flatten().map(|words| policies::start(&words))
}

/// Whether an agent is known here and starts what its leaf says, and no program of its own.
pub(crate) async fn is_tool(cx: &Orchestrator, project: &str, name: &str) -> bool {
    by_name(cx, project, Some(name)).await.is_ok_and(|agent| start(&agent).is_none())
}

/// How each agent that is known here is started.
pub(crate) async fn starts(
    cx: &Orchestrator,
    project: &str,
) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let known = known(cx, project).await?;
    Ok(known.iter().filter_map(|agent| Some((agent.name.clone(), start(agent)?))).collect())
}

/// The chains of a run: what the caller chose, else what configuration says, else the
/// coding agents found here, in the order of the built-in list. Names are checked.
pub(crate) async fn chains(
    cx: &Orchestrator,
    project: &str,
    configured: &BTreeMap<Role, Vec<String>>,
    chosen: &BTreeMap<Role, Vec<String>>,
) -> Result<BTreeMap<Role, Vec<String>>, Error> {
    let known = known(cx, project).await?;
    let found = || {
        known
            .iter()
            .filter(|one| is_coder(one) && discover::present(one))
            .map(|one| one.name.clone())
    };
    let mut chains = BTreeMap::from([(Role::Executor, found().collect::<Vec<_>>())]);
    for (role, chain) in configured.iter().chain(chosen) {
        chains.insert(*role, chain.clone());
    }
    // Another agent than the one that did the work, where there is one.
    chains.entry(Role::Auditor).or_insert_with(|| found().collect());
    for name in chains.values().flatten() {
        if !known.iter().any(|agent| &agent.name == name) {
            return Err(unknown(name, &known));
        }
    }
    Ok(chains)
}

/// The architects of a run, in the order they are asked; none is that the rules plan.
pub(crate) async fn architects(
    cx: &Orchestrator,
    project: &str,
    chosen: &BTreeMap<Role, Vec<String>>,
) -> Result<Vec<String>, Error> {
    let settings = cx.settings(project).await?;
    let mut chains = chains(cx, project, &settings.run.chains, chosen).await?;
    Ok(chains.remove(&Role::Architect).unwrap_or_default())
}

/// Whether somebody could carry out every leaf of the plan; the chains when so.
pub(crate) async fn executors(
    cx: &Orchestrator,
    plan: &Plan,
    project: &str,
    chosen: &BTreeMap<Role, Vec<String>>,
) -> Result<BTreeMap<Role, Vec<String>>, Error> {
    let settings = cx.settings(project).await?;
    let chains = chains(cx, project, &settings.run.chains, chosen).await?;
    let wants = plan.tasks.iter().any(|task| task.command.is_empty() && task.agent.is_none());
    if wants && chains.get(&Role::Executor).is_none_or(Vec::is_empty) {
        let known = known(cx, project).await?;
        let names: Vec<&str> =
            known.iter().filter(|one| is_coder(one)).map(|one| one.name.as_str()).collect();
        let looked_for = format!("looked for {} and found none of them", names.join(", "));
        return Err(Error::NoAgent { looked_for });
    }
    Ok(chains)
}

fn is_coder(agent: &AgentConfig) -> bool {
    agent.kind != AgentKind::Tool
}

/// Built-in agents with what configuration says of them, then the configured ones.
async fn known(cx: &Orchestrator, project: &str) -> Result<Vec<AgentConfig>, Error> {
    let configured = cx.settings(project).await?.agents;
    let mut known = AgentConfig::built_in();
    for agent in configured {
        match known.iter_mut().find(|one| one.name == agent.name) {
            Some(same) => *same = agent,
            None => known.push(agent),
        }
    }
    Ok(known)
}

fn unknown(name: &str, known: &[AgentConfig]) -> Error {
    Error::UnknownAgent {
        name: name.to_owned(),
        known: known.iter().map(|agent| agent.name.clone()).collect(),
    }
}
