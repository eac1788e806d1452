//! `capsnet draw reconstructions`.

use anyhow::Result;
use capsnet::look::redraws;
use capsnet_data::protocol::Values;
use capsnet_pictures::{Drawn, Usual, mistakes, reconstructions};
use clap::Args;

use super::digits::DigitArgs;
use super::{OutArgs, explain, explain_look, images, load, shown};
use crate::args::{DataArgs, WeightsArgs};

pub(super) const EXAMPLES: &str = "Examples:
  capsnet draw reconstructions
  capsnet draw reconstructions --mistakes --rotate=0 --count 6
  capsnet draw reconstructions --index 0,7,8 --rotate=-35,0,35 --out pictures";

#[derive(Args, Debug)]
pub(super) struct Flags {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    digits: DigitArgs,
    /// Angles in degrees, counter-clockwise, a group of columns each: numbers and from..to:step, separated by commas
    #[arg(long, value_name = "A,B..C:STEP", allow_hyphen_values = true, default_value = "0,35")]
    rotate: Values,
    /// Show digits first that the model gets wrong at one of the angles
    #[arg(long, conflicts_with = "index")]
    mistakes: bool,
    #[command(flatten)]
    weights: WeightsArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

pub(super) fn draw(flags: &Flags) -> Result<Drawn> {
    let device = flags.data.compute.start()?;
    let model = load(&flags.weights, &device)?;
    let data = images(&flags.data, &[model.named()])?;
    let digits = flags.digits.of(&data)?;
    redraws(&model.model, &device).map_err(|error| explain_look(&model.entry.weights, error))?;
    let (model, choice, turns) = (model.named(), flags.digits.choice(), flags.rotate.points());
    let usual = Usual::RECONSTRUCTIONS;
    let (chosen, searched) = if flags.mistakes {
        let found = mistakes(model, &digits, (&choice, usual), turns, &device, &mut shown());
        let (chosen, searched) = found.map_err(explain)?;
        (chosen, Some(searched))
    } else {
        (choice.several(&data, usual).map_err(explain)?, None)
    };
    reconstructions(model, &digits, &chosen, turns, searched, &device).map_err(explain)
}
