//! The same digits at a row of angles.

use burn::prelude::Device;
use capsnet_measure::look::{AngleAnswers, Angles, AskedModel};

use super::{Digits, LookError, view};
use crate::loaded::NamedModel;

/// What models answer to digits at angles in degrees; `progress` is told the number of digits done.
///
/// # Errors
///
/// If there is no such angle.
pub fn angles(
    models: &[NamedModel],
    digits: &Digits,
    indices: &[usize],
    angles: &[f64],
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Result<Angles, LookError> {
    let pipelines = angles
        .iter()
        .map(|&angle| digits.pipeline(Some(angle)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut answered = Vec::new();
    for (done, &index) in indices.iter().enumerate() {
        let images: Vec<Vec<u8>> = pipelines
            .iter()
            .map(|pipeline| digits.images(&[index], pipeline).remove(0))
            .collect();
        answered.push(AngleAnswers {
            index,
            label: digits.label(index),
            answers: models.iter().map(|model| view(model.model, &images, device)).collect(),
            images,
        });
        progress(done + 1);
    }
    let asked = models
        .iter()
        .enumerate()
        .map(|(number, NamedModel { entry, .. })| AskedModel {
            model: entry.model.clone(),
            weights: entry.weights.clone(),
            right: answered.iter().map(|digit| digit.right(number)).sum(),
            label: entry.label.clone(),
        });
    Ok(Angles {
        dataset: digits.data.name().to_owned(),
        angles: angles.to_vec(),
        models: asked.collect(),
        digits: answered,
        size: digits.size(),
        transform: digits.transform(),
    })
}
