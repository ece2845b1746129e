//! `orchflow doctor`: what this machine has, what is missing, and how to mend it.

use std::path::PathBuf;

use orchflow_protocol::config::{Show, ShowParams};
use orchflow_protocol::system::{Check, Doctor, DoctorParams};

use crate::context::{Context, existing, text};
use crate::output::{Output, Style, visible};
use crate::settings;
use crate::stop::{Ended, Stop};

/// Something required is missing.
const MISSING: u8 = 1;

/// What `doctor` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 1 when something is missing that orchflow cannot work without.

Examples:
  orchflow doctor
  orchflow doctor ~/src/my-project")]
pub struct Args {
    /// The project to look at, too
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Does it.
pub(crate) async fn run(cx: &Context, args: Args) -> Ended {
    let dir = match args.folder {
        Some(folder) => text(&existing(&folder)?)?,
        None => cx.dir_text()?,
    };
    let client = cx.client().await?;
    let params = DoctorParams { dir: Some(dir.clone()) };
    let mut result = client.call::<Doctor>(params).await?;
    let shown = client.call::<Show>(ShowParams { dir: Some(dir) }).await?;
    let given = shown.settings.iter().filter(|setting| setting.origin != "default");
    for setting in given {
        if let Some(note) = settings::without_effect(&setting.key) {
            result.checks.push(Check {
                group: "settings".into(),
                name: setting.key.clone(),
                ok: false,
                required: false,
                found: format!("{note} ({})", setting.origin),
                mend: None,
            });
        }
    }
    cx.out.result(&result, |out, result| tell(out, &result.checks));
    let missing = result.checks.iter().any(|check| check.required && !check.ok);
    if missing { Err(Stop::Code(MISSING)) } else { Ok(()) }
}

fn tell(out: Output, checks: &[Check]) {
    let mut group = "";
    for check in checks {
        if check.group != group {
            group = &check.group;
            out.line(out.paint(Style::Bold, &visible(group)));
        }
        let mark = match (check.ok, check.required) {
            (true, _) => out.paint(Style::Green, "✓"),
            (false, true) => out.paint(Style::Red, "✗"),
            (false, false) => out.paint(Style::Yellow, "–"),
        };
        // What takes several lines goes on where it began.
        let found = visible(&check.found).replace('\n', &format!("\n{:21}", ""));
        out.line(format_args!("  {mark} {:<16} {found}", visible(&check.name)));
        if let (false, Some(mend)) = (check.ok, &check.mend) {
            out.line(format_args!("      {}", visible(mend)));
        }
    }
}
