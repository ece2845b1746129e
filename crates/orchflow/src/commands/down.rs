//! `orchflow down`: ends the daemon and waits until it is gone.

use std::time::Duration;

use orchflow_protocol::method::Empty;
use orchflow_protocol::system;
use orchflow_types::ErrorKind;

use crate::connect;
use crate::context::Context;
use crate::stop::Ended;

/// How long the daemon may take to park what is under way.
const LIMIT: Duration = Duration::from_secs(60);

/// Does it.
pub(crate) async fn run(cx: &Context) -> Ended {
    let Some((client, _)) = connect::running(&cx.places).await? else {
        cx.out.result(&Empty {}, |out, _| out.talk("no daemon runs"));
        return Ok(());
    };
    match client.call::<system::Shutdown>(Empty {}).await {
        // It may be gone before its answer is.
        Err(error) if error.kind() != ErrorKind::Unavailable => return Err(error.into()),
        _ => {}
    }
    connect::gone(&cx.places, LIMIT).await?;
    cx.out.result(&Empty {}, |out, _| out.talk("the daemon has ended"));
    Ok(())
}
