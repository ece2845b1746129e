//! What a run tells the world, in the words of the event log.

use orchflow_types::EventType;
use orchflow_types::event::NewEvent;
use orchflow_types::run::RunStatus;
use orchflow_types::task::TaskStatus;
use serde_json::{Value, json};

use crate::action::Action;
use crate::state::{Ending, State};
use crate::transition::Transition;

impl Transition<'_> {
    pub(crate) fn tell_started(&mut self) {
        let run = &self.state.run;
        let data = json!({ "run_id": run.run_id, "task_id": run.task_id, "goal": run.goal });
        self.tell_run(EventType::RunStarted, data);
    }

    /// A step is durably done, or durably failed.
    pub(crate) fn tell_checkpoint(&mut self, action: &Action, outcome: &str) {
        let data = json!({
            "run_id": self.state.run.run_id,
            "task_id": action.task,
            "step": action.step.name(),
            "key": action.key,
            "outcome": outcome,
        });
        self.tell_run(EventType::RunCheckpointed, data);
    }

    pub(crate) fn tell_phase(&mut self, from: RunStatus) {
        let run = &self.state.run;
        let data = json!({ "run_id": run.run_id, "from": from, "to": run.status });
        self.tell_run(EventType::RunPhaseChanged, data);
    }

    pub(crate) fn tell_finished(&mut self) {
        let state = &*self.state;
        let mut data = json!({
            "run_id": state.run.run_id,
            "status": state.run.status,
            "tasks": tally(state),
            "commits": state.merges.commits(),
            "merged": state.run.landing.as_ref().is_some_and(|landing| landing.merged),
        });
        if let Some(reason) = &state.run.reason {
            data["reason"] = json!(reason);
        }
        if let Some(Ending::Failed { kind, .. }) = &state.ending {
            data["kind"] = json!(kind);
        }
        self.tell_run(EventType::RunFinished, data);
    }

    /// Tells where a leaf or a group now stands.
    pub(crate) fn tell_task(&mut self, node: u32) {
        let tree = &self.state.tree;
        let run_id = self.state.run.run_id;
        let task = tree.task(node);
        let data = match tree.leaf_of(task) {
            None => json!({ "run_id": run_id, "status": tree.status(node) }),
            Some(place) => {
                let leaf = &self.state.leaves[place as usize].view;
                let mut data = json!({
                    "run_id": run_id,
                    "status": leaf.status,
                    "phase": leaf.phase,
                    "agent": leaf.agent,
                    "iteration": leaf.iteration,
                });
                if let Some(reason) = &leaf.reason {
                    data["reason"] = json!(reason);
                }
                if let Some((_, note)) = self.noticed.as_ref().filter(|(of, _)| *of == node) {
                    data["note"] = json!(note);
                }
                data
            }
        };
        let above = tree.above(node).map(|group| tree.task(group).to_string());
        let within = std::iter::once(run_id.to_string()).chain(above).collect();
        let kind = EventType::TaskUpdated;
        self.effects.events.push(NewEvent { kind, about: task.to_string(), within, data });
    }

    fn tell_run(&mut self, kind: EventType, data: Value) {
        let run = &self.state.run;
        let (about, within) = (run.run_id.to_string(), vec![run.task_id.to_string()]);
        self.effects.events.push(NewEvent { kind, about, within, data });
    }
}

/// How many leaves ended in which way.
fn tally(state: &State) -> Value {
    let count = |status| state.leaves().filter(|leaf| leaf.status == status).count();
    json!({
        "completed": count(TaskStatus::Completed),
        "failed": count(TaskStatus::Failed),
        "skipped": count(TaskStatus::Skipped),
        "cancelled": count(TaskStatus::Cancelled),
    })
}
