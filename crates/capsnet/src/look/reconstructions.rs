//! Digits beside what a decoder makes of their capsules, and the digits that a model gets wrong.

use burn::prelude::Device;
use capsnet_measure::look::{Reconstruction, Reconstructions, View, squared_error};

use super::{Digits, LookError, capsules_of, decode, view};
use crate::loaded::NamedModel;

/// Images tested at a time in the search for mistakes.
const SEARCH: usize = 100;

/// What the decoder makes of the capsules of the true and of the predicted class of digits, at each of some angles in
/// degrees. `searched` is kept with the numbers: see [`mistakes_first`].
///
/// # Errors
///
/// If the model has no capsules or no decoder, or there is no such angle.
pub fn reconstructions(
    model: NamedModel,
    digits: &Digits,
    indices: &[usize],
    angles: &[f64],
    searched: Option<usize>,
    device: &Device,
) -> Result<Reconstructions, LookError> {
    let mut found = Vec::new();
    for &angle in angles {
        let pipeline = digits.pipeline((angle != 0.0).then_some(angle))?;
        let images = digits.images(indices, &pipeline);
        let views = view(model.model, &images, device);
        for ((&index, input), view) in indices.iter().zip(images).zip(views) {
            let label = digits.label(index);
            let capsules = capsules_of(model.model, &view)?;
            let pair = [label, view.class].map(|class| (class, capsules[class].clone()));
            let mut decoded = decode(model.model, &pair, device)?;
            let (of_predicted, of_true) = (decoded.remove(1), decoded.remove(0));
            found.push(Reconstruction {
                index,
                label,
                transform: pipeline.to_string(),
                prediction: view.class,
                squared_error_true: squared_error(&input, &of_true),
                squared_error_predicted: squared_error(&input, &of_predicted),
                scores: view.scores,
                input,
                of_true,
                of_predicted,
            });
        }
    }
    Ok(Reconstructions {
        model: model.entry.label.clone(),
        weights: model.entry.weights.clone(),
        dataset: digits.data.name().to_owned(),
        searched,
        size: digits.size(),
        transform: digits.transform(),
        angles: angles.to_vec(),
        digits: found,
    })
}

/// As many of the candidates as are wanted, those first that the model gets wrong at one of the angles; and how many
/// were tested to find them. `progress` is told the number of images tested.
///
/// # Errors
///
/// If there is no such angle.
pub fn mistakes_first(
    model: NamedModel,
    digits: &Digits,
    (candidates, wanted): (&[usize], usize),
    angles: &[f64],
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Result<(Vec<usize>, usize), LookError> {
    let pipelines = angles
        .iter()
        .map(|&angle| digits.pipeline((angle != 0.0).then_some(angle)))
        .collect::<Result<Vec<_>, _>>()?;
    let (mut wrong, mut right, mut searched) = (Vec::new(), Vec::new(), 0);
    for chunk in candidates.chunks(SEARCH) {
        let views: Vec<Vec<View>> = pipelines
            .iter()
            .map(|pipeline| view(model.model, &digits.images(chunk, pipeline), device))
            .collect();
        for (at, &index) in chunk.iter().enumerate() {
            let is_wrong = views.iter().any(|views| views[at].class != digits.label(index));
            if is_wrong { &mut wrong } else { &mut right }.push(index);
        }
        searched += chunk.len();
        progress(searched);
        if wrong.len() >= wanted {
            break;
        }
    }
    let chosen = wrong.into_iter().chain(right).take(wanted).collect();
    Ok((chosen, searched))
}
