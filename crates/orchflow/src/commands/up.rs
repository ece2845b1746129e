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
    if let Some(wanted) = args.listen.filter(|wanted| !listens(info.http.as_deref(), wanted)) {
        let door = info.http.as_deref().unwrap_or("no TCP door");
        let text = format!("a daemon runs already, with {door} (process {})", info.pid);
        let hint = format!("`orchflow down`, then `orchflow up --listen {wanted}`");
        return Err(Stop::from(Error::new(ErrorKind::Conflict, text)).hint(hint));
    }
    super::status::tell(cx, &info);
    Ok(())
}

/// Whether the door is where it is wanted; port 0 is any.
fn listens(http: Option<&str>, wanted: &str) -> bool {
    let Some(address) = http.and_then(|http| http.strip_prefix("http://")) else { return false };
    match wanted.strip_suffix(":0") {
        Some(host) => address.rsplit_once(':').is_some_and(|(at, _)| at == host),
        None => address == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::listens;

    #[test]
    fn a_door_elsewhere_is_not_the_one_that_was_wanted() {
        assert!(listens(Some("http://127.0.0.1:7777"), "127.0.0.1:7777"));
        assert!(listens(Some("http://127.0.0.1:41234"), "127.0.0.1:0"));
        assert!(!listens(Some("http://127.0.0.1:7777"), "127.0.0.1:7778"));
        assert!(!listens(None, "127.0.0.1:7777"));
    }
}
