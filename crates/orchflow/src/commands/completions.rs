//! `orchflow completions`: what a shell needs to complete our words.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::stop::Ended;

/// What `completions` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orchflow completions bash > ~/.local/share/bash-completion/completions/orchflow
  orchflow completions zsh  > ~/.zfunc/_orchflow
  orchflow completions fish > ~/.config/fish/completions/orchflow.fish")]
pub struct Args {
    /// Which shell
    shell: Shell,
}

/// Does it.
pub(crate) fn run(cx: &Context, args: Args) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "orchflow", &mut script);
    cx.out.bytes(&script);
    Ok(())
}
