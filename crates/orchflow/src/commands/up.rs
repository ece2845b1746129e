//! `orchflow up`: starts the daemon, in the background or here.

use orchflow_client::Error;
use orchflow_protocol::method::Empty;
use orchflow_protocol::system;
use orchflow_types::ErrorKind;

use crate::context::Context;
use crate::ready::Ready;
use crate::stop::{Ended, Stop};
use crate::{connect, daemon};

/// What `up` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every command starts the daemon by itself; this is for starting it ahead, or with a TCP door.

Examples:
  orchflow up                            in the background
  orchflow up --foreground               here, with its log on stderr; Ctrl-C ends it
  orchflow up --listen 127.0.0.1:7777    with the HTTP and WebSocket doors, which need the token")]
pub struct Args {
    /// Opens the TCP door here, too; it is off otherwise
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Stays in this terminal
    #[arg(long)]
    pub foreground: bool,
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    if args.foreground {
        let ready = Ready::from_environment();
        let options = daemon::Options { listen: args.listen };
        return Ok(daemon::run(&cx.places, options, ready).await?);
    }
    let (client, _) = connect::daemon(&cx.places, args.listen.as_deref()).await?;
    let info = client.call::<system::Info>(Empty {}).await?;
    if let (Some(wanted), None) = (&args.listen, &info.http) {
        let text = format!("a daemon runs already, without a TCP door (process {})", info.pid);
        let hint = format!("`orchflow down`, then `orchflow up --listen {wanted}`");
        return Err(Stop::from(Error::new(ErrorKind::Conflict, text)).hint(hint));
    }
    super::status::tell(cx, &info);
    Ok(())
}
