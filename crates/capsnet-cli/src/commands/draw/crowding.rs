//! `capsnet draw crowding`.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::loaded::NamedModel;
use capsnet::look::crowding;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::protocol::Values;
use capsnet_report::draw;
use clap::Args;

use super::OutArgs;
use super::digits::check_indices;
use super::drawn::Drawn;
use super::models::{SAMPLE, data_for, explain, named, redrawer};
use crate::args::{DataArgs, ModelsArgs};
use crate::setting::usage;

pub(super) const EXAMPLES: &str = "Examples:
  capsnet draw crowding
  capsnet draw crowding --index 2,1 --distance 0..10:1
  capsnet draw crowding --weights runs/multimnist/best.safetensors";

#[derive(Args, Debug)]
pub(super) struct Flags {
    #[command(flatten)]
    data: DataArgs,
    /// Numbers of two test images of different classes, counted from 0 [default: the first one, and the first of
    /// another class]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    index: Vec<usize>,
    /// Pixels from one digit to the other, to the right: numbers, or from..to:step, separated by commas
    #[arg(long, value_name = "VALUES", default_value = "0..12:2")]
    distance: Values,
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
    let indices = pair(&data, &flags.index)?;
    let distances = whole(flags.distance.points(), data.width())?;
    ask(
        &models,
        redrawer(&models, &device)?,
        &data,
        indices,
        &distances,
        &device,
    )
}

/// Asks the models, of which number `redrawer` has a decoder, and draws what they answer.
pub(super) fn ask(
    models: &[NamedModel],
    redrawer: usize,
    data: &Dataset,
    indices: [usize; 2],
    distances: &[i32],
    device: &Device,
) -> Result<Drawn> {
    let numbers = crowding(models, redrawer, data, indices, distances, device);
    let numbers = numbers.map_err(|error| explain(models[redrawer].entry, error))?;
    Drawn::new(draw::crowding(&numbers)?, &numbers)
}

/// The digits asked for, or the first two of different classes.
pub(super) fn pair(data: &Dataset, indices: &[usize]) -> Result<[usize; 2]> {
    let different = |a: usize, b: usize| data.label(a) != data.label(b);
    match *indices {
        [] => {
            let other = (0..data.len()).find(|&index| different(0, index));
            let other = other.ok_or_else(|| anyhow::anyhow!("all test images of {} are of one class", data.name()))?;
            Ok([0, other])
        }
        [a, b] => {
            check_indices(data, indices)?;
            if !different(a, b) {
                let class = data.label(a);
                let message =
                    format!("--index: images {a} and {b} are both of class {class}; two equal digits are drawn anyhow");
                return Err(usage(message).into());
            }
            Ok([a, b])
        }
        _ => Err(usage("--index: two images are needed, for example --index 2,1".to_owned()).into()),
    }
}

/// The distances as whole pixels.
fn whole(distances: &[f64], width: usize) -> Result<Vec<i32>> {
    let range = 0.0..=width as f64;
    let wrong = distances
        .iter()
        .find(|distance| distance.fract() != 0.0 || !range.contains(*distance));
    if let Some(wrong) = wrong {
        let message = format!("--distance: {wrong} is no whole number of pixels from 0 to {width}");
        return Err(usage(message).into());
    }
    Ok(distances.iter().map(|&distance| distance as i32).collect())
}
