//! `capsnet draw`: pictures of what capsules do, with the numbers behind them.
//!
//! One file a picture, each with a `make` that takes models, data and options and gives a [`Made`]; this file reads
//! flags and saves.

mod all;
mod angles;
mod couplings;
mod crowding;
mod digits;
mod doorway;
mod made;
mod perturbations;
mod pieces;
mod reconstructions;
mod subject;

use anyhow::Result;
use capsnet_data::dataset::Split;

use crate::args::{DrawArgs, DrawCommand, OutArgs};
use crate::output::line;
use digits::Digits;
use made::Made;
use subject::Subject;

pub fn run(args: &DrawArgs) -> Result<()> {
    match &args.drawing {
        DrawCommand::Reconstructions(args) => {
            let device = args.data.compute.start()?;
            let subject = Subject::load(&args.weights, &device)?;
            let data = subject.data_for(args.data.load(Split::Test)?)?;
            let digits = Digits::new(&data, &args.digits);
            let made = reconstructions::make(&subject, &digits, args.rotate.points(), args.mistakes, &device)?;
            finish(&made, &args.out)
        }
        DrawCommand::Perturbations(args) => {
            let device = args.data.compute.start()?;
            let subject = Subject::load(&args.weights, &device)?;
            let data = subject.data_for(args.data.load(Split::Test)?)?;
            let digits = Digits::new(&data, &args.digits);
            finish(
                &perturbations::make(&subject, &digits, args.rotate, &device)?,
                &args.out,
            )
        }
        DrawCommand::Angles(args) => {
            let device = args.data.compute.start()?;
            let subjects = Subject::load_all(&args.models, &device)?;
            let data = subject::data_for_all(&subjects, args.data.load(Split::Test)?)?;
            let digits = Digits::new(&data, &args.digits);
            finish(
                &angles::make(&subjects, &digits, args.rotate.points(), &device)?,
                &args.out,
            )
        }
        DrawCommand::Couplings(args) => {
            let device = args.data.compute.start()?;
            let subject = Subject::load(&args.weights, &device)?;
            let data = subject.data_for(args.data.load(Split::Test)?)?;
            let digits = Digits::new(&data, &args.digits);
            let options = couplings::Options {
                rotate: args.rotate,
                towards: args.towards.clone(),
                strongest: args.strongest,
                across: args.across,
            };
            finish(&couplings::make(&subject, &digits, &options, &device)?, &args.out)
        }
        DrawCommand::Crowding(args) => {
            let device = args.data.compute.start()?;
            let subjects = Subject::load_all(&args.models, &device)?;
            let data = subject::data_for_all(&subjects, args.data.load(Split::Test)?)?;
            let made = crowding::make(&subjects, &data, &args.index, args.distance.points(), &device)?;
            finish(&made, &args.out)
        }
        DrawCommand::Doorway(args) => {
            let device = args.compute.start()?;
            let made = doorway::make(args.iterations, args.extra, args.seed, &device)?;
            finish(&made, &args.out)
        }
        DrawCommand::All(args) => all::run(args),
    }
}

/// Saves a picture and says where.
fn finish(made: &Made, out: &OutArgs) -> Result<()> {
    let files = made.save(&out.out)?;
    if out.json {
        return line(made.json(&files)?);
    }
    line(made.sheet.caption())?;
    for file in files {
        line(format_args!("wrote {file}"))?;
    }
    Ok(())
}
