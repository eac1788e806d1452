//! Several models measured on the same images.

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::Family;
use capsnet_data::transform::{Pipeline, Resample, SpecError};
use capsnet_measure::equivariance::{Measurements, ModelMeasures};

use super::{Options, Rotation, layer_names, measure};
use crate::Error;
use crate::loaded::{NamedModel, check_fit};

/// Rotations by angles in degrees, counter-clockwise.
///
/// # Errors
///
/// If there is no such angle.
pub fn rotations(degrees: &[f64], resample: Resample) -> Result<Vec<Rotation>, SpecError> {
    let rotation = |&degrees: &f64| {
        let rotation = Family::Rotation.change(degrees, resample)?;
        let pipeline = rotation.into_transform().expect("a rotation is a transform");
        Ok(Rotation { degrees, pipeline })
    };
    degrees.iter().map(rotation).collect()
}

/// Checks that the models take the images, and that every layer that `options` asks for is one of some model's.
///
/// # Errors
///
/// [`Error::NoLayer`], with the layers that there are.
pub fn check_layers(models: &[NamedModel], data: &Dataset, options: &Options, device: &Device) -> Result<(), Error> {
    check_fit(models, data)?;
    let Some(asked) = &options.layers else { return Ok(()) };
    let mut known = Vec::new();
    for named in models {
        known.push((&named.entry.label, layer_names(named.model, data, device)?));
    }
    let is_known = |layer: &String| known.iter().any(|(_, names)| names.contains(layer));
    let Some(layer) = asked.iter().find(|layer| !is_known(layer)) else {
        return Ok(());
    };
    let lists = known
        .iter()
        .map(|(label, names)| format!("{label} has {}", names.join(", ")));
    Err(Error::NoLayer {
        layer: layer.clone(),
        known: lists.collect::<Vec<_>>().join("; "),
    })
}

/// Measures every layer of several models over a data set, upright against each of the [`rotations`], which
/// read between the pixels by `resample`; `progress` is told
/// the number of images done, of [`images_shown`], and the model.
///
/// # Errors
///
/// As [`measure`].
pub fn measure_models(
    models: &[NamedModel],
    data: &Dataset,
    (rotations, resample): (&[Rotation], Resample),
    options: &Options,
    device: &Device,
    progress: &mut dyn FnMut(usize, &str),
) -> Result<Measurements, Error> {
    let upright = Pipeline::identity();
    let images = images_shown(data, rotations);
    let mut measured = Vec::new();
    for (number, NamedModel { model, entry }) in models.iter().enumerate() {
        let mut notify = |done| progress(number * images + done, &entry.label);
        let layers = measure(*model, data, &upright, rotations, options, device, &mut notify)?;
        measured.push(ModelMeasures {
            entry: (*entry).clone(),
            layers,
        });
    }
    Ok(Measurements {
        dataset: data.name().to_owned(),
        classes: data.class_names().to_vec(),
        images: data.len(),
        seed: options.seed.0,
        rotate: rotations.iter().map(|rotation| rotation.degrees).collect(),
        resample: resample.to_string(),
        units: options.units,
        models: measured,
    })
}

/// How many images [`measure_models`] shows to each model: all of them upright, and by every rotation.
pub fn images_shown(data: &Dataset, rotations: &[Rotation]) -> usize {
    data.len() * (rotations.len() + 1)
}
