//! `capsnet draw angles`.

use anyhow::Result;
use capsnet_data::protocol::Values;
use capsnet_pictures::{Drawn, Usual, angles};
use clap::Args;

use super::digits::DigitArgs;
use super::{OutArgs, explain, images, named, shown};
use crate::args::{DataArgs, ModelsArgs};

pub(super) const EXAMPLES: &str = "Examples:
  capsnet draw angles
  capsnet draw angles --index 0,2 --rotate=-180..180:30
  capsnet draw angles --class 4 --count 5 --models lenet5 --weights mine=runs/mine/best.safetensors";

#[derive(Args, Debug)]
pub(super) struct Flags {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    digits: DigitArgs,
    /// Angles in degrees, counter-clockwise: numbers, or from..to:step, separated by commas
    #[arg(
        long,
        value_name = "VALUES",
        allow_hyphen_values = true,
        default_value = "-90..90:15"
    )]
    rotate: Values,
    #[command(flatten)]
    models: ModelsArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

pub(super) fn draw(flags: &Flags) -> Result<Drawn> {
    let device = flags.data.compute.start()?;
    let models = flags.models.load(&device)?;
    let models = named(&models);
    let data = images(&flags.data, &models)?;
    let digits = flags.digits.of(&data)?;
    let chosen = flags.digits.choice().several(&data, Usual::ANGLES);
    let chosen = chosen.map_err(explain)?;
    let turns = flags.rotate.points();
    angles(&models, &digits, &chosen, turns, &device, &mut shown()).map_err(explain)
}
