//! `capsnet draw reconstructions`.

use anyhow::Result;
use capsnet::look::{mistakes_first, reconstructions, redraws};
use capsnet_data::dataset::Split;
use capsnet_data::protocol::Values;
use capsnet_report::draw;
use clap::Args;

use super::OutArgs;
use super::digits::DigitArgs;
use super::drawn::Drawn;
use super::models::{SAMPLE, data_for, explain, load};
use crate::args::{DataArgs, WeightsArgs};
use crate::progress::Progress;

pub(super) const EXAMPLES: &str = "Examples:
  capsnet draw reconstructions
  capsnet draw reconstructions --mistakes --rotate=0 --count 6
  capsnet draw reconstructions --index 0,7,8 --rotate=-35,0,35 --out pictures";

/// Digits in the picture.
pub(super) const COUNT: usize = 6;

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
    let data = data_for(&[model.named()], flags.data.load_sample(Split::Test, SAMPLE)?.0)?;
    let digits = flags.digits.of(&data)?;
    let explained = |error| explain(&model.entry, error);
    redraws(&model.model, &device).map_err(explained)?;
    let (chosen, searched) = if flags.mistakes {
        let candidates = flags.digits.candidates(&data)?;
        let wanted = flags.digits.wanted(COUNT);
        let mut progress = Progress::new("looking for mistakes", "image", candidates.len(), 0);
        let asked = (&candidates[..], wanted);
        let (chosen, searched) = mistakes_first(
            model.named(),
            &digits,
            asked,
            flags.rotate.points(),
            &device,
            &mut |done| {
                progress.set(done, "");
            },
        )?;
        progress.clear();
        (chosen, Some(searched))
    } else {
        (flags.digits.chosen(&data, COUNT)?, None)
    };
    let numbers = reconstructions(
        model.named(),
        &digits,
        &chosen,
        flags.rotate.points(),
        searched,
        &device,
    );
    let numbers = numbers.map_err(explained)?;
    Drawn::new(draw::reconstructions(&numbers)?, &numbers)
}
