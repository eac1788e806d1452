//! `capsnet completions`.

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::output::line;

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet completions bash > ~/.local/share/bash-completion/completions/capsnet
  capsnet completions zsh > ~/.zfunc/_capsnet
  capsnet completions fish > ~/.config/fish/completions/capsnet.fish";

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell that is to complete commands and flags
    pub shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "capsnet", &mut script);
    line(String::from_utf8(script)?.trim_end())
}
