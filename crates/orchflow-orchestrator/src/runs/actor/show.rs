//! What is shown of a run while it is so, and is no part of its state: panes, planners.

use orchflow_store::runs::LeafRow;
use orchflow_store::{events, runs as rows};
use orchflow_types::event::NewEvent;
use orchflow_types::run::{Planner, Run, RunStatus};
use orchflow_types::task::TaskStatus;
use orchflow_types::{EventType, PaneId, TaskId};
use serde_json::json;

use super::Actor;

impl Actor {
    pub(super) async fn show_pane(&mut self, task: TaskId, pane: PaneId) {
        let Some((position, mut leaf)) = self.state.position(task).zip(self.state.leaf_view(task))
        else {
            return;
        };
        leaf.pane_id = Some(pane);
        let (run_id, at) = (self.state.run_id(), self.cx.clock().now());
        let event = NewEvent {
            kind: EventType::TaskUpdated,
            about: task.to_string(),
            within: vec![run_id.to_string()],
            data: json!({ "run_id": run_id, "status": leaf.status, "phase": leaf.phase, "agent": leaf.agent, "pane_id": pane }),
        };
        let (epoch, row) = (self.state.epoch(), LeafRow::new(position, &leaf));
        let write = move |tx: &mut orchflow_store::Tx<'_>| {
            rows::fence(tx, run_id, epoch)?;
            rows::upsert_leaf(tx, run_id, &row)?;
            events::append(tx, at, [event])
        };
        if let Err(error) = self.cx.store().submit(write).await {
            tracing::warn!(%error, "a pane could not be shown");
        }
    }

    /// Who makes the plan is no part of the state: it is shown while it is so.
    pub(super) async fn show_planner(&mut self, planner: Planner) {
        if self.state.status() != RunStatus::Planning {
            return;
        }
        let (run_id, at) = (self.state.run_id(), self.cx.clock().now());
        let root = self.state.run().task_id;
        let event = NewEvent {
            kind: EventType::TaskUpdated,
            about: root.to_string(),
            within: vec![run_id.to_string()],
            data: json!({ "run_id": run_id, "status": TaskStatus::Active, "agent": planner.agent, "pane_id": planner.pane_id }),
        };
        let run = Run { planner: Some(planner), ..self.state.run().clone() };
        let epoch = self.state.epoch();
        let write = move |tx: &mut orchflow_store::Tx<'_>| {
            rows::fence(tx, run_id, epoch)?;
            rows::upsert(tx, &run)?;
            events::append(tx, at, [event])
        };
        if let Err(error) = self.cx.store().submit(write).await {
            tracing::warn!(%error, "an architect could not be shown");
        }
    }
}
