//! `capsnet draw crowding`.

use anyhow::Result;
use capsnet_data::protocol::Values;
use capsnet_pictures::{Drawn, PairError, crowding, pair, redrawer, whole_pixels};
use clap::Args;

use super::{OutArgs, explain, images, named};
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
    let data = images(&flags.data, &models)?;
    let asked = match flags.index[..] {
        [] => None,
        [a, b] => Some([a, b]),
        _ => return Err(usage("--index: two images are needed, for example --index 2,1").into()),
    };
    let indices = pair(&data, asked).map_err(|error| match error {
        PairError::OneClass(_) => anyhow::Error::from(error),
        _ => usage(format!("--index: {error}")).into(),
    })?;
    let distances = whole_pixels(flags.distance.points(), data.width());
    let distances = distances.map_err(|error| usage(format!("--distance: {error}")))?;
    let redrawer = redrawer(&models, &device).map_err(explain)?;
    crowding(&models, redrawer, &data, indices, &distances, &device).map_err(explain)
}
