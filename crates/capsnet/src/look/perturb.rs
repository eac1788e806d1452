//! What each dimension of a capsule stands for: the decoder's images as one of them is moved.

use burn::prelude::*;

use super::{LookError, decode};
use crate::model::Classifier;

/// The offsets of the paper's figure 4: -0.25 to 0.25 in 11 steps of 0.05.
pub fn perturbation_offsets() -> Vec<f32> {
    (-5..=5).map(|step| step as f32 / 20.0).collect()
}

/// The decoder's images of a class capsule with each of its dimensions in turn moved by each of `offsets`, the others
/// left as they are: `[dimension][offset]`, pixels in 0..1 (Sabour, Frosst, Hinton 2017, section 5.1, figure 4).
///
/// # Errors
///
/// If the model has no decoder.
///
/// # Panics
///
/// If there is no such class, or the capsule is not as long as the model's.
pub fn perturb(
    model: &dyn Classifier,
    class: usize,
    capsule: &[f32],
    offsets: &[f32],
    device: &Device,
) -> Result<Vec<Vec<Vec<f32>>>, LookError> {
    let moved = |dimension: usize, offset: f32| {
        let mut moved = capsule.to_vec();
        moved[dimension] += offset;
        (class, moved)
    };
    (0..capsule.len())
        .map(|dimension| {
            let capsules: Vec<_> = offsets.iter().map(|&offset| moved(dimension, offset)).collect();
            decode(model, &capsules, device)
        })
        .collect()
}
