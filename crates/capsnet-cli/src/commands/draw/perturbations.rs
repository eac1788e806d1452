//! `capsnet draw perturbations`.

use anyhow::Result;
use capsnet_pictures::{Drawn, perturbations};
use clap::Args;

use super::digits::DigitArgs;
use super::{OutArgs, explain, images, load};
use crate::args::{DataArgs, WeightsArgs, angle};

pub(super) const EXAMPLES: &str = "Examples:
  capsnet draw perturbations
  capsnet draw perturbations --class 5 --out five.png
  capsnet draw perturbations --index 61 --rotate=20 --json";

#[derive(Args, Debug)]
pub(super) struct Flags {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    digits: DigitArgs,
    /// Angle in degrees, counter-clockwise
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true, value_parser = angle)]
    rotate: Option<f64>,
    #[command(flatten)]
    weights: WeightsArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

pub(super) fn draw(flags: &Flags) -> Result<Drawn> {
    let device = flags.data.compute.start()?;
    let model = load(&flags.weights, &device)?;
    let data = images(&flags.data, &[model.named()])?;
    let (digits, index) = (flags.digits.of(&data)?, flags.digits.one(&data)?);
    perturbations(model.named(), &digits, index, flags.rotate, &device).map_err(explain)
}
