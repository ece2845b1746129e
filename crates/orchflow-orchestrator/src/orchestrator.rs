//! The handle every noun takes, and what the binary gives it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use orchflow_agent::AgentConfig;
use orchflow_client::Client;
use orchflow_protocol::trust::{self, TrustFile};
use orchflow_runtime::{CancellationToken, Clock, Supervisor};
use orchflow_store::Store;
use orchflow_types::Role;
use orchflow_types::id::Id;
use orchflow_types::run::RunOptions;
use orchflow_workflow::{Action, Command};

use crate::Error;
use crate::attention::Waiters;
use crate::runs::Registry;

/// The orchestrator. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Orchestrator(Arc<Inner>);

struct Inner {
    store: Store,
    client: Client,
    clock: Clock,
    supervisor: Supervisor,
    configuration: Arc<dyn Configuration>,
    performer: Option<Arc<dyn Perform>>,
    runs: Registry,
    waiters: Waiters,
}

/// Performs committed actions in the place of agents, tools and git; for tests and
/// benchmarks of everything that stands around the effects.
pub trait Perform: Send + Sync {
    /// Performs one action, until it is told to `stop`; the answer is the command that tells
    /// the run what came of it.
    fn perform(
        &self,
        action: Action,
        stop: CancellationToken,
    ) -> BoxFuture<'static, Option<Command>>;
}

/// Where settings come from: the binary reads the files, the orchestrator asks per project.
pub trait Configuration: Send + Sync {
    /// The settings that hold for the project at `root`. Of its own files exactly those count
    /// that are `trusted`, with the content they had when that was looked at.
    ///
    /// # Errors
    /// When a file cannot be read, naming file, line and the nearest key; when a trusted one
    /// has other content by now.
    fn for_project(&self, root: &Path, trusted: &[TrustFile]) -> Result<ProjectSettings, Error>;
}

/// What holds for one project.
#[derive(Debug, Clone, Default)]
pub struct ProjectSettings {
    /// Limits, mode and chains of its runs.
    pub run: RunOptions,
    /// What agents in a role are told beside their work.
    pub prompts: BTreeMap<Role, String>,
    /// The agents configured, built-in ones left out.
    pub agents: Vec<AgentConfig>,
    /// Policy files, the user's before the project's.
    pub policies: Vec<PolicyFile>,
}

/// One policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name in answers.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Orchestrator {
    /// An orchestrator on this store, with this client to a manager.
    #[must_use]
    pub fn new(
        store: Store,
        client: Client,
        clock: Clock,
        supervisor: Supervisor,
        configuration: Arc<dyn Configuration>,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            client,
            clock,
            supervisor,
            configuration,
            performer: None,
            runs: Registry::default(),
            waiters: Waiters::default(),
        }))
    }

    /// The same with another performer; before anything was started.
    #[must_use]
    pub fn performed_by(self, performer: Arc<dyn Perform>) -> Self {
        let Inner { store, client, clock, supervisor, configuration, .. } = &*self.0;
        Self(Arc::new(Inner {
            store: store.clone(),
            client: client.clone(),
            clock: clock.clone(),
            supervisor: supervisor.clone(),
            configuration: configuration.clone(),
            performer: Some(performer),
            runs: Registry::default(),
            waiters: Waiters::default(),
        }))
    }

    pub(crate) fn performer(&self) -> Option<&Arc<dyn Perform>> {
        self.0.performer.as_ref()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn supervisor(&self) -> &Supervisor {
        &self.0.supervisor
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.runs
    }

    pub(crate) fn waiters(&self) -> &Waiters {
        &self.0.waiters
    }

    pub(crate) fn mint<I: Id>(&self) -> I {
        orchflow_runtime::ids::mint(&self.0.clock)
    }

    /// The settings of the project at `root`. Its own files count only when exactly their
    /// present content is trusted.
    pub(crate) async fn settings(&self, root: &str) -> Result<ProjectSettings, Error> {
        let params = trust::DirParams { dir: root.to_owned() };
        let looked = self.client().call::<trust::Get>(params).await?;
        self.0.configuration.for_project(Path::new(root), looked.trusted_files())
    }
}
