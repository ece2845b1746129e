//! What a call may be refused for besides its name: what its params choose.

use orchflow_client::Payload;
use orchflow_protocol::run::{self, Choices, StartParams, StartResult};
use orchflow_protocol::{Access, Error, task};
use orchflow_runtime::{Clock, ids};
use orchflow_server::{Caller, Table};
use orchflow_types::ErrorKind;
use orchflow_types::TaskId;
use serde_json::json;

/// A table whose starts start nothing.
fn table() -> Table {
    let run = |(), _: StartParams| async {
        let clock = Clock::system();
        Ok::<_, Error>(StartResult { run_id: ids::mint(&clock), task_id: ids::mint(&clock) })
    };
    let task = |(), _: task::StartParams| async {
        Ok::<_, Error>(task::StartResult { run_id: ids::mint(&Clock::system()) })
    };
    Table::builder().on::<run::Start>(run).on::<task::Start>(task).build()
}

fn caller(access: Access) -> Caller {
    Caller { access, name: "a token".to_owned() }
}

async fn refused(access: Access, method: &str, params: Payload) -> Option<Error> {
    table().start(&caller(access), method, params).await.err()
}

fn typed(auto_approve: Option<bool>) -> Payload {
    let choices = Choices { auto_approve, ..Choices::default() };
    let (goal, dir) = ("x".to_owned(), "/".to_owned());
    Payload::Typed(Box::new(StartParams { goal, dir, choices, plan: None }))
}

#[tokio::test]
async fn who_may_not_approve_a_plan_cannot_start_a_run_that_approves_itself() {
    let id: TaskId = ids::mint(&Clock::system());
    let choices = json!({ "auto_approve": true });
    let goal = || Payload::Json(json!({ "goal": "x", "dir": "/", "choices": choices }));
    let tree = || Payload::Json(json!({ "task_id": id, "dir": "/", "choices": choices }));
    let refusals = [
        refused(Access::Run, "run.start", goal()).await,
        refused(Access::Run, "run.start", typed(Some(true))).await,
        refused(Access::Run, "task.start", tree()).await,
    ];
    for error in refusals {
        let error = error.expect("it is refused");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.message.contains("needs approve access"), "{}", error.message);
    }
    for method in ["run.start", "task.start"] {
        let params = if method == "run.start" { goal() } else { tree() };
        assert_eq!(refused(Access::Approve, method, params).await, None, "{method}");
    }
    assert_eq!(refused(Access::Run, "run.start", typed(None)).await, None);
    assert_eq!(refused(Access::Run, "run.start", typed(Some(false))).await, None);
}
