//! `policy.check` and the decision behind every command an agent wants to run.
//!
//! A line is parsed with a real shell grammar (`shell`), each simple command in it is held
//! against the rules (`rules`), and the strictest answer is the line's. What cannot be
//! parsed, or says only at run time what it is, is never allowed by itself: it asks.

mod consent;
mod judge;
mod rules;
mod runners;
mod shell;

use orchflow_protocol::policy::CheckParams;
use orchflow_runtime::env::find_program;
use orchflow_store::policies as grants;
use orchflow_types::policy::{Decision, PolicyAnswer};

use crate::{Error, Orchestrator, PolicyFile, agents};

pub(crate) use consent::{Wanted, consented, folder};
use rules::Rules;

/// What is asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// The exact words, when no shell reads them.
    pub(crate) argv: Vec<String>,
    /// The line, when a shell reads it.
    pub(crate) line: Option<String>,
    /// Who wants to.
    pub(crate) agent: Option<String>,
    /// Whether a person has seen exactly this and wanted it.
    pub(crate) consented: bool,
    /// What an `always` to it is for; none when there is no folder it could be for.
    pub(crate) granted: Option<Granted>,
}

/// What an `always` is for: one way of starting something, in one folder of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) folder: String,
    pub(crate) pattern: Vec<String>,
}

/// The words of a command or of an agent's template with its program as a path: another
/// program of the same name is not the one that was shown.
pub(crate) fn start(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    if let Some(program) = words.first_mut()
        && let Some(path) = find_program(program)
    {
        *program = path.display().to_string();
    }
    words
}

/// `policy.check`.
///
/// # Errors
/// `config` with file and rule when a policy cannot be read; `invalid_params` when there is no command.
pub async fn check(cx: Orchestrator, params: CheckParams) -> Result<PolicyAnswer, Error> {
    if params.argv.is_empty() == params.line.is_none() {
        return Err(Error::Params { reason: "give either `argv` or `line`".to_owned() });
    }
    let start = start(&params.argv);
    let (argv, line, agent) = (params.argv, params.line, params.agent);
    let mut asked = Asked { argv, line, agent, consented: false, granted: None };
    if let Some(text) = params.policy {
        let file = PolicyFile { name: "policy".to_owned(), text };
        return Ok(judge::judge(&Rules::read(&[file])?, &asked));
    }
    let Some(run_id) = params.run_id else {
        let root = params.dir.as_deref().unwrap_or("/");
        asked.granted = params.dir.as_deref().map(|dir| Granted::here(root, None, dir, start));
        return decide(&cx, root, &asked).await;
    };
    let (run, gates) = crate::runs::with_gates(&cx, run_id).await?;
    let dir = params.dir.as_deref().unwrap_or(&run.project);
    let folder = folder(&cx, &run.project, dir).await?;
    let agent = match asked.agent.as_deref() {
        Some(agent) if agents::is_tool(&cx, &run.project, agent).await => None,
        agent => agent,
    };
    let wanted = Wanted {
        argv: &asked.argv,
        folder: folder.as_deref(),
        agent: agent.map(|agent| (agent, start.as_slice())),
    };
    asked.consented = consented(&run, &gates, wanted);
    asked.granted = Some(Granted::here(&run.project, folder.as_deref(), dir, start.clone()));
    decide(&cx, &run.project, &asked).await
}

/// Decides by the user's rules, the project's where it is trusted, and what was answered
/// `always` before. A rule that denies beats a person's consent; one that asks does not.
pub(crate) async fn decide(
    cx: &Orchestrator,
    project: &str,
    asked: &Asked,
) -> Result<PolicyAnswer, Error> {
    let files = cx.settings(project).await?.policies;
    let answer = judge::judge(&Rules::read(&files)?, asked);
    if answer.decision != Decision::Ask {
        return Ok(answer);
    }
    let allow = |reason: &str| PolicyAnswer {
        decision: Decision::Allow,
        rule: None,
        reason: reason.to_owned(),
        ..answer.clone()
    };
    if asked.line.is_none() && asked.consented {
        return Ok(allow("it is a command the goal was shown with"));
    }
    let granted = cx.store().read(grants::list).await?;
    let same = |grant: &grants::Grant| {
        let (folder, pattern) = (grant.folder.clone(), grant.pattern.clone());
        Some(&grant.agent) == asked.agent.as_ref()
            && asked.granted == Some(Granted { folder, pattern })
    };
    if asked.line.is_none() && granted.iter().any(same) {
        return Ok(allow("a person answered `always` to this command here"));
    }
    Ok(answer)
}
