//! The last line of a run that is followed with `--json`.

use orchflow_types::run::Run;
use orchflow_types::{Event, EventType};
use serde_json::{Value, json};

/// The last JSON line: the event itself, when it was seen, with what scripts look for in it.
pub(super) fn last_line(event: Option<&Event>, run: &Run) -> Value {
    let tasks: Vec<Value> = run
        .leaves
        .iter()
        .map(|leaf| {
            json!({
                "task_id": leaf.task_id,
                "key": leaf.plan.key,
                "title": leaf.plan.title,
                "status": leaf.status,
                "agent": leaf.executor,
                "gates": leaf.gates,
                "commit": leaf.commit,
                "reason": leaf.reason,
            })
        })
        .collect();
    let landing = run.landing.as_ref();
    let mut line = event.map_or_else(|| json!({ "data": {} }), |event| json!(event));
    line["type"] = json!(EventType::RunFinished);
    line["about"] = json!(run.run_id);
    if !line["data"].is_object() {
        line["data"] = json!({});
    }
    let data = &mut line["data"];
    data["run_id"] = json!(run.run_id);
    data["status"] = json!(run.status);
    data["tasks"] = Value::Array(tasks);
    data["commits"] = json!(landing.map(|landing| landing.commits.clone()).unwrap_or_default());
    data["merged"] = json!(landing.is_some_and(|landing| landing.merged));
    data["reason"] = json!(run.reason);
    line
}
