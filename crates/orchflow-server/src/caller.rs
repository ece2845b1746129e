//! Who calls, and the door within one process.

use std::sync::Arc;
use std::time::Duration;

use orchflow_client::{Call, Endpoint};
use orchflow_protocol::Access;
use orchflow_runtime::{CancellationToken, Supervisor, TaskKind};
use tokio::sync::Semaphore;

use crate::ending::GRACE;
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
const CALLS: u32 = 1024;

/// How long nobody may have called, once the shutdown began, before the endpoint ends:
/// whoever parks its work in these moments still needs its calls answered.
const QUIET: Duration = Duration::from_millis(100);

/// Serves the calls of `endpoint` as `caller`, until every client is gone or, after the
/// supervisor's shutdown began, nobody calls any more (five seconds at most). Calls run
/// as tasks of `supervisor`, concurrently; order keys keep their order.
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
    let _end = ended.clone().drop_guard();
    let follows = Follows::new(supervisor.clone(), ended.clone());
    let slots = Arc::new(Semaphore::new(CALLS as usize));
    let shutdown = supervisor.shutdown();
    let over = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::pin!(over);
    let out_of_time = loop {
        // Begun anew by each call, so that it counts from the last of them.
        let quiet = async {
            shutdown.cancelled().await;
            let idle = slots.acquire_many(CALLS).await;
            drop(idle);
            tokio::time::sleep(QUIET).await;
        };
        let call = tokio::select! {
            biased;
            call = endpoint.next() => call,
            () = quiet => None,
            () = &mut over => break true,
        };
        let Some(Call { method, params, notify, reply }) = call else { break false };
        let slot = slots.clone().acquire_owned().await;
        let answered = CancellationToken::new();
        let follower = notify.map(|to| follows.follower(Sink::Channel(to), answered.clone()));
        let started = table.start_with(&caller, &method, params, follower);
        let dropped = ended.clone();
        supervisor.spawn(TaskKind::Request, "call", async move {
            tokio::select! {
                // Whoever asked may have gone.
                result = started => drop(reply.send(result)),
                () = dropped.cancelled() => {}
            }
            answered.cancel();
            drop(slot);
            Ok::<(), Error>(())
        });
    };
    if !out_of_time {
        // Nobody may be left to hear the answers, but what was asked for is done.
        tokio::select! {
            all = slots.acquire_many(CALLS) => drop(all),
            () = over => {}
        }
    }
    Ok(())
}
