//! Flags of `capsnet study`.

use std::path::PathBuf;

use capsnet_data::catalog::KnownSet;
use clap::Args;

use super::shared::ComputeArgs;

pub const STUDY_EXAMPLES: &str = "Examples:
  capsnet study --example > mine.toml
  capsnet study mine.toml
  capsnet study studies/ablations.toml --out runs/ablations --json

A study is a TOML file that declares variants of models, the seeds that each is trained with and the transforms that each is
tested under; --example prints one that explains itself. Keys are the flags of `capsnet train` (in `test`: of `capsnet test`).
The folder gets a run a variant and seed, results.json, results.csv, results.md and report.html. The same command
goes on where it was stopped, `kill -9` included, and trains nothing twice; a run whose settings have changed since is refused.
Last weights are tested, not best ones, so that all variants of a study have seen equally many images.";

#[derive(Args, Debug)]
pub struct StudyArgs {
    /// The declaration
    #[arg(value_name = "FILE.toml", required_unless_present = "example")]
    pub file: Option<PathBuf>,
    /// Print a declaration that explains itself, and stop
    #[arg(long)]
    pub example: bool,
    /// Folder of the study [default: runs/NAME-OF-THE-FILE]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Folder with the four IDX files, raw or gzipped [default: $CAPSNET_DATA, the checkout's data/, the user's cache]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The data set to look for where no folder is given
    #[arg(long, default_value = "mnist", value_name = "NAME")]
    pub dataset: KnownSet,
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}
