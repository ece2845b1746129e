//! The rows: each method beside the function that answers it.
//!
//! `system.*` and `config.*` are about the process and its settings files, which only the
//! binary knows; it adds those rows itself.

use futures::FutureExt;
use futures::future::BoxFuture;
use orchflow_manager::streams::{OutputReader, open_output};
use orchflow_manager::{Manager, git, panes, projects, test_results, trust};
use orchflow_orchestrator::{Orchestrator, agents, attention, policies, runs, tasks};
use orchflow_protocol::{
    agent, attention as ask, git as git_rows, pane, policy, project, run, task, test,
    trust as trust_rows,
};

use orchflow_protocol::Error;
use orchflow_protocol::pane::Output;
use orchflow_types::PaneId;

use crate::Rows;
use crate::streams::{Chunk, PaneOutputs, PaneReader};

/// Adds the rows of a manager.
#[must_use]
pub fn manager_rows<S: Clone + Send + Sync + 'static>(
    rows: Rows<S>,
    manager: &Manager,
) -> Rows<Manager> {
    rows.with(manager)
        .on::<pane::Create>(panes::create)
        .on::<pane::List>(panes::list)
        .on::<pane::Info>(panes::info)
        .on::<pane::Write>(panes::write)
        .on::<pane::CloseStdin>(panes::close_stdin)
        .on::<pane::Read>(panes::read)
        .on::<pane::Resize>(panes::resize)
        .on::<pane::Kill>(panes::kill)
        .on::<project::Detect>(projects::detect)
        .on::<test::Results>(test_results::results)
        .on::<trust_rows::Get>(trust::get)
        .on::<trust_rows::Grant>(trust::grant)
        .on::<trust_rows::Revoke>(trust::revoke)
        .on::<git_rows::Status>(git::status)
        .on::<git_rows::Diff>(git::diff)
        .on::<git_rows::Snapshot>(git::snapshot)
        .on::<git_rows::Commit>(git::commit)
        .on::<git_rows::WorktreeAdd>(git::worktree_add)
        .on::<git_rows::WorktreeReset>(git::worktree_reset)
        .on::<git_rows::WorktreeList>(git::worktree_list)
        .on::<git_rows::WorktreeRemove>(git::worktree_remove)
        .on::<git_rows::WorktreeRepair>(git::worktree_repair)
        .on::<git_rows::Refs>(git::refs)
        .on::<git_rows::SaveRef>(git::save_ref)
        .on::<git_rows::Merge>(git::merge)
        .on::<git_rows::Land>(git::land)
        .on::<git_rows::Rescue>(git::rescue)
}

/// Adds the rows of an orchestrator.
#[must_use]
pub fn orchestrator_rows<S: Clone + Send + Sync + 'static>(
    rows: Rows<S>,
    orchestrator: &Orchestrator,
) -> Rows<Orchestrator> {
    rows.with(orchestrator)
        .on::<agent::Types>(agents::types)
        .on::<agent::List>(agents::list)
        .on::<agent::Route>(agents::route)
        .on::<task::Create>(tasks::create)
        .on::<task::Get>(tasks::get)
        .on::<task::List>(tasks::list)
        .on::<task::Tree>(tasks::tree)
        .on::<task::Update>(tasks::update)
        .on::<task::Move>(tasks::move_to)
        .on::<task::Delete>(tasks::delete)
        .on::<task::Start>(tasks::start)
        .on::<task::Complete>(tasks::complete)
        .on::<task::Cancel>(tasks::cancel)
        .on::<task::Export>(tasks::export)
        .on::<task::Import>(tasks::import)
        .on::<run::Start>(runs::start)
        .on::<run::MakePlan>(runs::plan)
        .on::<run::Get>(runs::get)
        .on::<run::List>(runs::list)
        .on::<run::Approve>(runs::approve)
        .on::<run::Reject>(runs::reject)
        .on::<run::Pause>(runs::pause)
        .on::<run::Resume>(runs::resume)
        .on::<run::Cancel>(runs::cancel)
        .on::<run::Report>(runs::report)
        .on::<run::Rescue>(runs::rescue)
        .on::<policy::Check>(policies::check)
        .on::<ask::List>(attention::list)
        .on::<ask::Answer>(attention::answer)
}

/// The outputs of a manager's panes, as `stream.open` reads them.
#[derive(Clone)]
pub struct Outputs(pub Manager);

impl PaneOutputs for Outputs {
    fn open(
        &self,
        pane_id: PaneId,
        output: Output,
    ) -> BoxFuture<'_, Result<Box<dyn PaneReader>, Error>> {
        let manager = self.0.clone();
        async move {
            let reader = open_output(manager, pane_id, output, 0).await?;
            Ok(Box::new(reader) as Box<dyn PaneReader>)
        }
        .boxed()
    }
}

impl PaneReader for OutputReader {
    fn read(&self, from: u64, max: usize) -> BoxFuture<'_, Result<Chunk, Error>> {
        async move {
            let piece = Self::read(self, from, max).await?;
            Ok(Chunk { offset: piece.offset, bytes: piece.bytes, skipped: piece.skipped })
        }
        .boxed()
    }

    fn wait_beyond(&self, offset: u64) -> BoxFuture<'_, bool> {
        Self::wait_beyond(self, offset).boxed()
    }
}
