//! `capsnet draw doorway`.

use anyhow::Result;
use capsnet_pictures::{Drawn, doorway};
use clap::Args;

use super::OutArgs;
use crate::args::{ComputeArgs, positive};

pub(super) const EXAMPLES: &str = "Examples:
  capsnet draw doorway
  capsnet draw doorway --seed 7 --extra 2 --iterations 6 --out doorway.svg";

#[derive(Args, Debug)]
pub(super) struct Flags {
    /// Iterations of routing
    #[arg(long, value_name = "N", default_value = "4", value_parser = positive)]
    iterations: usize,
    /// Further squares, and as many quarter discs, in the third scene
    #[arg(long, value_name = "N", default_value = "1")]
    extra: usize,
    /// Seed of the scenes
    #[arg(long, value_name = "N", default_value = "9")]
    seed: u64,
    #[command(flatten)]
    compute: ComputeArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

pub(super) fn draw(flags: &Flags) -> Result<Drawn> {
    let device = flags.compute.start()?;
    Ok(doorway(flags.iterations, flags.extra, flags.seed, &device)?)
}
