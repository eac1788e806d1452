//! `capsnet runs`.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use capsnet::train::runs_in;
use capsnet_report::page::runs::{READING, save, table};
use clap::Args;

use super::again::command_line;
use crate::output::{claim, line, open};

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet runs
  capsnet runs runs/ablations --out runs
  capsnet runs --json

All runs below the folder are listed, those of studies too, and none is touched. With --out their curves are laid over
each other, in runs.html, runs-accuracy.svg and runs-loss.svg.";

#[derive(Args, Debug)]
pub(crate) struct RunsArgs {
    /// Where to look for runs
    #[arg(value_name = "DIR", default_value = "runs")]
    pub folder: PathBuf,
    /// Lay the runs' curves over each other, in a page and two pictures in this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show the page in the browser
    #[arg(long, requires = "out")]
    pub open: bool,
    /// Print one JSON list, with every epoch, and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

pub(crate) fn run(args: &RunsArgs) -> Result<()> {
    let folder: &Path = &args.folder;
    ensure!(
        folder.is_dir(),
        "{} is no folder; name the one with the runs",
        folder.display()
    );
    let runs = runs_in(folder)?;
    let files = match &args.out {
        Some(out) => {
            let _alone = claim(out, "a list of runs")?;
            save(&runs, &folder.display().to_string(), &command_line(), out)?
        }
        None => Vec::new(),
    };
    if args.open
        && let Some(page) = files.first()
    {
        open(page);
    }
    if args.json {
        return line(serde_json::to_string(&runs)?);
    }
    if runs.is_empty() {
        return line(format_args!("there is no run in {}", folder.display()));
    }
    line(table(&runs)?.to_text().trim_end())?;
    line(format_args!("\n{READING}"))?;
    for file in files {
        line(format_args!("wrote {}", file.display()))?;
    }
    Ok(())
}
