//! `orchflow logs`: the daemon's log, also when no daemon runs.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use orchflow_types::ErrorKind;

use crate::context::Context;
use crate::stop::{Ended, Stop};

/// How often a followed log is looked at; a file tells nobody that it grew.
const LOOK: Duration = Duration::from_millis(250);

/// What `logs` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
ORCHFLOW_LOG=debug in the daemon's environment logs more, ORCHFLOW_LOG_FORMAT=json as JSON.

Examples:
  orchflow logs -n 50
  orchflow logs -f")]
pub struct Args {
    /// Goes on as the log grows
    #[arg(short, long)]
    follow: bool,
    /// The last lines to show
    #[arg(short = 'n', long, default_value_t = 200, value_name = "N")]
    lines: usize,
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let path = cx.places.log();
    let mut file = open(&path)?;
    let mut last = VecDeque::new();
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        if last.len() == args.lines {
            last.pop_front();
        }
        last.push_back(std::mem::take(&mut line));
    }
    for line in last.iter().filter(|_| args.lines > 0) {
        cx.out.bytes(line);
    }
    if args.follow { follow(cx, &path, file).await } else { Ok(()) }
}

/// Goes on until it is interrupted.
async fn follow(cx: &Context, path: &Path, mut file: BufReader<File>) -> Ended {
    loop {
        let mut fresh = Vec::new();
        file.read_to_end(&mut fresh).map_err(|error| Stop::file("read", path, &error))?;
        cx.out.bytes(&fresh);
        if fresh.is_empty() {
            tokio::time::sleep(LOOK).await;
            let number = |meta: std::fs::Metadata| meta.ino();
            let (before, now) =
                (file.get_ref().metadata().map(number), path.metadata().map(number));
            if now.is_ok_and(|now| before.is_ok_and(|before| before != now)) {
                file = open(path)?; // the old one was put aside
            }
        }
    }
}

fn open(path: &Path) -> Result<BufReader<File>, Stop> {
    File::open(path).map(BufReader::new).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Stop::new(ErrorKind::NotFound, format!("there is no log at {} yet", path.display()))
                .hint("`orchflow up` starts the daemon, which writes it")
        }
        _ => Stop::file("read", path, &error),
    })
}
