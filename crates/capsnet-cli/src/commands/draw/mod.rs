//! `capsnet draw`: pictures of what capsules do, with the numbers behind them.
//!
//! One file a picture, with its flags: the library asks the models, the report crate draws what they said, and this
//! file lists the pictures and saves one.

mod all;
mod angles;
mod couplings;
mod crowding;
mod digits;
mod doorway;
mod drawn;
mod models;
mod perturbations;
mod reconstructions;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::output::line;

pub(crate) const DRAW_EXAMPLES: &str = "Examples:
  capsnet draw all
  capsnet draw reconstructions --mistakes --rotate=0 --count 6
  capsnet draw perturbations --class 5
  capsnet draw couplings --index 8 --rotate=35 --json";

#[derive(Args, Debug)]
pub(crate) struct DrawArgs {
    #[command(subcommand)]
    drawing: Picture,
}

/// The list of the pictures.
#[derive(Subcommand, Debug)]
enum Picture {
    /// Digits beside what the decoder makes of the true class's capsule and of the predicted one's
    #[command(after_help = reconstructions::EXAMPLES)]
    Reconstructions(reconstructions::Flags),
    /// What each dimension of a capsule stands for: the decoder's images as one of them is moved
    #[command(after_help = perturbations::EXAMPLES)]
    Perturbations(perturbations::Flags),
    /// The same digits at a row of angles, with the models' answers
    #[command(after_help = angles::EXAMPLES)]
    Angles(angles::Flags),
    /// Where the strongest primary capsules send their votes, iteration by iteration, over the image
    #[command(after_help = couplings::EXAMPLES)]
    Couplings(couplings::Flags),
    /// Two digits in one image, of different classes and of the same, at a row of distances
    #[command(after_help = crowding::EXAMPLES)]
    Crowding(crowding::Flags),
    /// Routing step by step on a toy: squares and quarter discs whose votes for a doorway agree or disagree
    #[command(after_help = doorway::EXAMPLES)]
    Doorway(doorway::Flags),
    /// All of them, and a page that shows them
    #[command(after_help = all::EXAMPLES)]
    All(all::Flags),
}

/// Where pictures go.
#[derive(Args, Debug, Clone)]
struct OutArgs {
    /// A .png or .svg file, or a folder for both
    #[arg(long, value_name = "PATH", default_value = "runs/draw")]
    out: PathBuf,
    /// Print one JSON object, with the numbers behind the picture, and nothing else on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &DrawArgs) -> Result<()> {
    let (drawn, out) = match &args.drawing {
        Picture::Reconstructions(flags) => (reconstructions::draw(flags)?, &flags.out),
        Picture::Perturbations(flags) => (perturbations::draw(flags)?, &flags.out),
        Picture::Angles(flags) => (angles::draw(flags)?, &flags.out),
        Picture::Couplings(flags) => (couplings::draw(flags)?, &flags.out),
        Picture::Crowding(flags) => (crowding::draw(flags)?, &flags.out),
        Picture::Doorway(flags) => (doorway::draw(flags)?, &flags.out),
        Picture::All(flags) => return all::run(flags),
    };
    let files = drawn.save(&out.out)?;
    if out.json {
        return line(serde_json::to_string(&drawn.entry(&files))?);
    }
    line(drawn.figure.sheet.caption())?;
    for file in files {
        line(format_args!("wrote {file}"))?;
    }
    Ok(())
}
