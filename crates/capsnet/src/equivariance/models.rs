//! Several models measured on the same images.

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::{Family, Sweep};
use capsnet_data::transform::{Pipeline, Resample, SpecError};
use capsnet_measure::equivariance::{Measurements, ModelMeasures};

use super::{Options, Rotation, layer_names, lie_derivatives, lie_images_shown, measure};
use crate::Error;
use crate::loaded::{NamedModel, check_fit};

/// Rotations by angles in degrees, counter-clockwise.
///
/// # Errors
///
/// If there is no such angle.
pub fn rotations(degrees: &[f64], resample: Resample) -> Result<Vec<Rotation>, SpecError> {
    degrees
        .iter()
        .map(|&value| of_family(Family::Rotation, value, resample))
        .collect()
}

/// The transforms of a sweep along a family of shifts, scales or shears, or of rotations; to be measured with
/// [`Options::along`].
///
/// # Errors
///
/// For another family, which moves nothing; and if there is no such value.
pub fn moves(sweep: &Sweep, resample: Resample) -> Result<Vec<Rotation>, MoveError> {
    if !MOVES.contains(&sweep.family) {
        return Err(MoveError::Family {
            family: sweep.family.to_string(),
            known: MOVES.map(|family| family.name()).join(", "),
        });
    }
    let values = sweep.values.points().iter();
    let moves: Result<_, SpecError> = values.map(|&value| of_family(sweep.family, value, resample)).collect();
    Ok(moves?)
}

/// A sweep along which layers aren't measured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MoveError {
    /// A family of transforms that moves nothing in an image.
    #[error("{family} moves nothing that a layer could move with; there are {known}")]
    Family {
        /// The family.
        family: String,
        /// Those that do.
        known: String,
    },
    /// A value that is none of the family's.
    #[error(transparent)]
    Value(#[from] SpecError),
}

/// Families that move what is in an image.
const MOVES: [Family; 6] = [
    Family::Rotation,
    Family::ShiftX,
    Family::ShiftY,
    Family::ShiftDiagonal,
    Family::Scale,
    Family::Shear,
];

fn of_family(family: Family, value: f64, resample: Resample) -> Result<Rotation, SpecError> {
    let pipeline = family.change(value, resample)?.into_transform();
    Ok(Rotation {
        degrees: value,
        pipeline: pipeline.expect("these families are of transforms"),
    })
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
    let images = images_shown(data, rotations, options);
    let mut measured = Vec::new();
    for (number, NamedModel { model, entry }) in models.iter().enumerate() {
        let mut notify = |done| progress(number * images + done, &entry.label);
        let layers = measure(*model, data, &upright, rotations, options, device, &mut notify)?;
        let before = data.len() * (rotations.len() + 1);
        let mut notify = |done| progress(number * images + before + done, &entry.label);
        let lie = match options.lie {
            true => lie_derivatives(*model, data, options, device, &mut notify)?,
            false => Vec::new(),
        };
        measured.push(ModelMeasures {
            entry: (*entry).clone(),
            layers,
            lie,
        });
    }
    Ok(Measurements {
        dataset: data.name().to_owned(),
        classes: data.class_names().to_vec(),
        images: data.len(),
        seed: options.seed.0,
        rotate: rotations.iter().map(|rotation| rotation.degrees).collect(),
        along: options.along.filter(|family| *family != Family::Rotation).map(named),
        resample: resample.to_string(),
        units: options.units,
        models: measured,
    })
}

/// A family as results know it.
pub(crate) fn named(family: Family) -> capsnet_measure::Family {
    let unit = match family.unit() {
        "degrees" => "°",
        unit => unit,
    };
    capsnet_measure::Family::new(family.title(), unit).with_identity(family.identity())
}

/// How many images [`measure_models`] shows to each model: all of them upright, by every rotation, and for Lie
/// derivatives.
pub fn images_shown(data: &Dataset, rotations: &[Rotation], options: &Options) -> usize {
    let lie = if options.lie { lie_images_shown(data) } else { 0 };
    data.len() * (rotations.len() + 1) + lie
}
