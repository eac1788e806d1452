//! One digit's capsule with each of its dimensions moved.

use burn::prelude::Device;
use capsnet_measure::look::Perturbations;

use super::{Digits, LookError, capsules_of, decode, perturb, perturbation_offsets, view};
use crate::loaded::NamedModel;

/// What the true class's capsule of a digit is decoded to, with each of its dimensions moved by the offsets of the
/// paper's figure 4. The digit is turned by `rotate` degrees, if at all.
///
/// # Errors
///
/// If the model has no capsules or no decoder, or there is no such angle.
pub fn perturbations(
    model: NamedModel,
    digits: &Digits,
    index: usize,
    rotate: Option<f64>,
    device: &Device,
) -> Result<Perturbations, LookError> {
    let label = digits.label(index);
    let pipeline = digits.pipeline(rotate)?;
    let input = digits.images(&[index], &pipeline).remove(0);
    let view = view(model.model, std::slice::from_ref(&input), device).remove(0);
    let capsule = capsules_of(model.model, &view)?[label].clone();
    let offsets = perturbation_offsets();
    let images = perturb(model.model, label, &capsule, &offsets, device)?;
    let decoded = decode(model.model, &[(label, capsule.clone())], device)?.remove(0);
    Ok(Perturbations {
        weights: model.entry.weights.clone(),
        dataset: digits.data.name().to_owned(),
        index,
        label,
        transform: pipeline.to_string(),
        prediction: view.class,
        scores: view.scores,
        capsule,
        offsets,
        effect: images.iter().map(|row| Perturbations::effect_of(row)).collect(),
        size: digits.size(),
        input,
        decoded,
        images,
    })
}
