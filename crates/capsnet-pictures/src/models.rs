//! The models whose pictures are drawn, and the images that they take.

use burn::prelude::Device;
use capsnet::evaluate::check_model;
use capsnet::loaded::NamedModel;
use capsnet::look::redraws;
use capsnet::model::named_by;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::padded;

use crate::Error;

/// The images as these models take them: in a larger black frame, if that is what they need, and with the names that
/// the models have for the classes, if the data set says none.
///
/// # Errors
///
/// If a model takes other images or has other classes.
pub fn fitted(data: Dataset, models: &[NamedModel]) -> Result<Dataset, Error> {
    let data = named_by(data, models.iter().map(|named| named.model));
    let side = models.iter().map(|named| named.model.input().image.height).max();
    let side = side.unwrap_or(data.height());
    let data = match side > data.height().max(data.width()) {
        true => padded(&data, side)?,
        false => data,
    };
    for NamedModel { model, entry } in models {
        check_model(&data, *model).map_err(|error| Error::Images {
            weights: entry.weights.clone(),
            source: Box::new(error),
        })?;
    }
    Ok(data)
}

/// The number of the first model with capsules and a decoder.
///
/// # Errors
///
/// [`Error::NoDecoder`] if there is none.
pub fn redrawer(models: &[NamedModel], device: &Device) -> Result<usize, Error> {
    let found = models.iter().position(|named| redraws(named.model, device).is_ok());
    found.ok_or(Error::NoDecoder)
}
