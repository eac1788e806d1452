//! `capsnet draw couplings`.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::loaded::LoadedModel;
use capsnet::look::{Digits, Routes, routed_digit};
use capsnet::model::Classifier;
use capsnet_data::dataset::Split;
use capsnet_report::draw;
use clap::Args;

use super::OutArgs;
use super::digits::{DigitArgs, check_classes};
use super::drawn::Drawn;
use super::models::{SAMPLE, data_for, explain, load};
use crate::args::{DataArgs, WeightsArgs, angle, positive};
use crate::progress::Progress;

pub(super) const EXAMPLES: &str = "Examples:
  capsnet draw couplings
  capsnet draw couplings --index 8 --towards 5,6 --routing-iterations 5
  capsnet draw couplings --class 3 --rotate=35 --strongest 100 --json";

#[derive(Args, Debug)]
pub(super) struct Flags {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    digits: DigitArgs,
    /// Angle in degrees, counter-clockwise
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true, value_parser = angle)]
    rotate: Option<f64>,
    /// Classes to show couplings to, separated by commas [default: the true one, and the two that are the longest
    /// beside it]
    #[arg(long, value_name = "CLASS,..", value_delimiter = ',')]
    towards: Vec<usize>,
    /// How many primary capsules to show, the strongest ones
    #[arg(long, value_name = "N", default_value = "40", value_parser = positive)]
    strongest: usize,
    /// Compare the couplings over so many test images, the first ones; 0 for not at all
    #[arg(long, value_name = "N", default_value = "100")]
    across: usize,
    #[command(flatten)]
    weights: WeightsArgs,
    #[command(flatten)]
    pub out: OutArgs,
}

pub(super) fn draw(flags: &Flags) -> Result<Drawn> {
    let device = flags.data.compute.start()?;
    let model = load(&flags.weights, &device)?;
    let data = data_for(&[model.named()], flags.data.load_sample(Split::Test, SAMPLE)?.0)?;
    let (digits, index) = (flags.digits.of(&data)?, flags.digits.one(&data)?);
    check_classes(model.model.input().classes, &flags.towards, "--towards")?;
    let routes = Routes {
        rotate: flags.rotate,
        towards: flags.towards.clone(),
        strongest: flags.strongest,
        across: flags.across,
    };
    ask(&model, &digits, index, &routes, &device)
}

/// Routes the digit and draws its couplings.
pub(super) fn ask(
    model: &LoadedModel,
    digits: &Digits,
    index: usize,
    routes: &Routes,
    device: &Device,
) -> Result<Drawn> {
    let others = routes.across.min(digits.data.len());
    let mut progress = Progress::new("routing other digits", "image", others, 0);
    let numbers = routed_digit(model.named(), digits, index, routes, device, &mut |done| {
        progress.set(done, "")
    });
    progress.clear();
    let numbers = numbers.map_err(|error| explain(&model.entry, error))?;
    Drawn::new(draw::couplings(&numbers)?, &numbers)
}
