//! `capsnet draw angles`.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::loaded::NamedModel;
use capsnet::look::{Digits, angles};
use capsnet_data::dataset::Split;
use capsnet_data::protocol::Values;
use capsnet_report::draw;
use clap::Args;

use super::OutArgs;
use super::digits::DigitArgs;
use super::drawn::Drawn;
use super::models::{SAMPLE, data_for, named};
use crate::args::{DataArgs, ModelsArgs};
use crate::progress::Progress;

pub(super) const EXAMPLES: &str = "Examples:
  capsnet draw angles
  capsnet draw angles --index 0,2 --rotate=-180..180:30
  capsnet draw angles --class 4 --count 5 --models lenet5 --weights mine=runs/mine/best.safetensors";

/// Digits in the picture.
pub(super) const COUNT: usize = 4;

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
    let data = data_for(&models, flags.data.load_sample(Split::Test, SAMPLE)?.0)?;
    let (digits, chosen) = (flags.digits.of(&data)?, flags.digits.chosen(&data, COUNT)?);
    ask(&models, &digits, &chosen, flags.rotate.points(), &device)
}

/// Asks the models and draws what they answer.
pub(super) fn ask(
    models: &[NamedModel],
    digits: &Digits,
    indices: &[usize],
    at: &[f64],
    device: &Device,
) -> Result<Drawn> {
    let mut progress = Progress::new("asking the models", "digit", indices.len(), 0);
    let numbers = angles(models, digits, indices, at, device, &mut |done| progress.set(done, ""))?;
    progress.clear();
    Drawn::new(draw::angles(&numbers)?, &numbers)
}
