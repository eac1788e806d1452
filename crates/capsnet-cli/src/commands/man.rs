//! `capsnet man`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};

use crate::args::Cli;
use crate::output::{line, place};

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet man --out ~/.local/share/man/man1
  man capsnet-sweep";

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Folder for the pages, one a command
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

pub(crate) fn run(args: &ManArgs) -> Result<()> {
    let folder = args.out.display();
    place(&args.out)?;
    // What `help` lists again is no page of its own.
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, &args.out).with_context(|| format!("can't write into {folder}"))?;
    line(format_args!(
        "wrote the manual pages into {folder}; `man -l {folder}/capsnet.1` shows the first"
    ))
}
