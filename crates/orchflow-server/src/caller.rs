//! Who calls, and the door within one process.

use std::sync::Arc;

use orchflow_client::{Call, Endpoint};
use orchflow_protocol::Access;
use orchflow_runtime::{CancellationToken, Supervisor, TaskKind};
use tokio::sync::Semaphore;

use crate::follow::{Follows, Sink};
use crate::{Error, Table};

/// Who a call comes from, once a door has made sure of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What it may do.
    pub access: Access,
    /// What it is called in logs and errors.
    pub name: String,
}

impl Caller {
    /// The user at the Unix socket, who may do everything.
    #[must_use]
    pub fn user() -> Self {
        Self { access: Access::Admin, name: "the socket's user".to_owned() }
    }

    /// The orchestrator of this process: it starts work, and can neither approve nor
    /// change settings and trust.
    #[must_use]
    pub fn orchestrator() -> Self {
        Self { access: Access::Run, name: "orchestrator".to_owned() }
    }
}

/// Calls of one endpoint that run at the same time; further ones wait in its channel.
const CALLS: usize = 1024;

/// Serves the calls of `endpoint` as `caller` until every client is gone. Calls run as
/// tasks of `supervisor`, concurrently; order keys keep their order.
///
/// # Errors
/// None today; the type is what a supervised task answers.
pub async fn serve_endpoint(
    mut endpoint: Endpoint,
    table: Table,
    caller: Caller,
    supervisor: Supervisor,
) -> Result<(), Error> {
    let ended = CancellationToken::new();
    let _end_follows = ended.clone().drop_guard();
    let follows = Follows::new(supervisor.clone(), ended);
    let slots = Arc::new(Semaphore::new(CALLS));
    while let Some(call) = endpoint.next().await {
        let slot = slots.clone().acquire_owned().await;
        let Call { method, params, notify, reply } = call;
        let answered = CancellationToken::new();
        let follower = notify.map(|to| follows.follower(Sink::Channel(to), answered.clone()));
        let started = table.start_with(&caller, &method, params, follower);
        supervisor.spawn(TaskKind::Request, "call", async move {
            let _ = reply.send(started.await); // whoever asked may have gone
            answered.cancel();
            drop(slot);
            Ok::<(), Error>(())
        });
    }
    Ok(())
}
