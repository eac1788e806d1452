//! `capsnet draw couplings`.

use anyhow::Result;
use capsnet::look::Routes;
use capsnet::model::Classifier;
use capsnet_pictures::{Drawn, check_class, couplings};
use clap::Args;

use super::digits::DigitArgs;
use super::{OutArgs, explain, images, load, shown};
use crate::args::{DataArgs, WeightsArgs, angle, positive};
use crate::setting::usage;

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
    let data = images(&flags.data, &[model.named()])?;
    let (digits, index) = (flags.digits.of(&data)?, flags.digits.one(&data)?);
    for &class in &flags.towards {
        check_class(model.model.input().classes, class).map_err(|error| usage(format!("--towards: {error}")))?;
    }
    let routes = Routes {
        rotate: flags.rotate,
        towards: flags.towards.clone(),
        strongest: flags.strongest,
        across: flags.across,
    };
    couplings(model.named(), &digits, index, &routes, &device, &mut shown()).map_err(explain)
}
