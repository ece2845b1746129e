//! `orchflow trust`: what a repository's own configuration may do, shown and granted by
//! content hash.

use std::path::{Path, PathBuf};

use orchflow_client::Client;
use orchflow_protocol::trust::{
    DirParams, Get, Grant, GrantParams, Revoke, TrustFile, TrustResult,
};
use orchflow_types::ErrorKind;

use crate::context::{Context, existing, text};
use crate::output::{Output, Style, visible};
use crate::stop::{Ended, Stop};
use crate::talk::{ago, ask, count};

/// What `trust` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without your trust nothing of a repository's own configuration has an effect: no agent, no
policy, no command of it. Trust is for exactly what you were shown; a changed byte ends it.

Examples:
  orchflow trust               shows each file and asks
  orchflow trust --json        whether this folder is trusted, and by which hash
  orchflow trust --revoke")]
pub struct Args {
    /// The project, instead of the current folder
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Trusts what is there now without asking
    #[arg(long)]
    yes: bool,
    /// Takes the trust back
    #[arg(long, conflicts_with = "yes")]
    revoke: bool,
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let folder = args.folder.as_deref().map(existing).transpose()?;
    let dir = text(folder.as_deref().unwrap_or(&cx.dir))?;
    let client = cx.client().await?;
    let params = DirParams { dir };
    if args.revoke {
        let done = client.call::<Revoke>(params).await?;
        cx.out.result(&done, |out, _| out.talk("the trust was taken back"));
        return Ok(());
    }
    let seen = client.call::<Get>(params.clone()).await?;
    if seen.trusted || seen.files.is_empty() || (cx.out.json() && !args.yes) {
        cx.out.result(&seen, tell);
        return Ok(());
    }
    if !cx.out.json() {
        show(cx.out, &seen);
    }
    if !args.yes && !agreed(cx, &client, &seen, &params).await? {
        return Err(Stop::new(ErrorKind::Untrusted, format!("{} is not trusted", seen.dir)));
    }
    let grant = GrantParams { dir: params.dir, hash: seen.hash };
    let granted = client.call::<Grant>(grant).await?;
    cx.out.result(&granted, tell);
    Ok(())
}

async fn agreed(
    cx: &Context,
    client: &Client,
    seen: &TrustResult,
    params: &DirParams,
) -> Result<bool, Stop> {
    if !cx.out.can_ask() {
        let text = format!("{} is not trusted, and nobody can be asked here", seen.dir);
        return Err(Stop::new(ErrorKind::ApprovalNeeded, text)
            .hint("`orchflow trust` in a terminal, or `orchflow trust --yes`"));
    }
    // What was just shown was read after the hash was taken.
    if client.call::<Get>(params.clone()).await?.hash != seen.hash {
        return Err(Stop::new(ErrorKind::Conflict, "the files changed while they were shown")
            .hint("`orchflow trust` shows them again"));
    }
    let answer = ask(cx.out, "Trust exactly this? [y/N] ").await?;
    Ok(answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes")))
}

fn tell(out: Output, result: &TrustResult) {
    let dir = visible(&result.dir);
    if result.files.is_empty() {
        out.line(format_args!("{dir} has no configuration of its own; there is nothing to trust"));
    } else if result.trusted {
        let since = result.granted_at.map(|at| format!(", since {}", ago(at))).unwrap_or_default();
        let files = count(result.files.len() as u64, "file", "files");
        out.line(format_args!("{dir} is trusted as it is now ({files}{since})"));
    } else {
        out.line(format_args!("{dir} is not trusted"));
    }
}

fn show(out: Output, result: &TrustResult) {
    out.talk(format_args!(
        "{} configures orchflow or agents by these files:",
        visible(&result.dir)
    ));
    if result.changed {
        out.talk("(it was trusted once; the content has changed since)");
    }
    for file in &result.files {
        show_file(out, Path::new(&result.dir), file);
    }
    out.talk(format_args!("\nhash of all of it: {}", visible(&result.hash)));
}

fn show_file(out: Output, dir: &Path, file: &TrustFile) {
    let name = Style::Bold.paint(&visible(&file.path), out.talk_color());
    out.talk(format_args!("\n{name}  {} bytes  {}", file.size, visible(&file.hash)));
    match std::fs::read(dir.join(&file.path)) {
        Ok(bytes) => {
            for line in visible(&String::from_utf8_lossy(&bytes)).lines() {
                out.talk(format_args!("  │ {line}"));
            }
        }
        Err(error) => out.talk(format_args!("  (cannot be shown: {error})")),
    }
}
