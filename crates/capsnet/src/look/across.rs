//! Whether routing depends on the image: how couplings and primary capsules differ from image to image.

use burn::prelude::*;
use capsnet_measure::look::{AcrossImages, STARVED};

use super::couplings::routed;
use super::{LookError, floats};
use crate::model::Classifier;

/// Images routed together: their votes take three quarters of a megabyte each.
const BATCH: usize = 20;

/// Routes images and compares them; `progress` is told the number of images done.
///
/// # Errors
///
/// If the model has no capsules, or comes to them without routing.
///
/// # Panics
///
/// If there is no image, or one has another size than the model takes.
pub fn across_images(
    model: &dyn Classifier,
    images: &[Vec<u8>],
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Result<AcrossImages, LookError> {
    assert!(!images.is_empty(), "there is no image to compare");
    let (mut sums, mut squares) = (Vec::new(), Vec::new());
    let mut longest: Vec<f32> = Vec::new();
    let (mut within, mut done) = (0.0, 0);
    for images in images.chunks(BATCH) {
        let routed = routed(model, images, device)?;
        let capsules = routed.lower.dims()[1];
        longest.resize(capsules, 0.0);
        for of_image in floats(routed.lower).chunks(capsules) {
            for (longest, &length) in longest.iter_mut().zip(of_image) {
                *longest = longest.max(length);
            }
        }
        let last = routed.iterations.into_iter().next_back();
        let last = last.expect("routing has an iteration at least");
        let last = floats(last.couplings.swap_dims(1, 2)); // [B, I, J]
        let pairs = last.len() / images.len();
        sums.resize(pairs, 0.0);
        squares.resize(pairs, 0.0);
        for of_image in last.chunks(pairs) {
            for (at, value) in of_image.iter().copied().map(f64::from).enumerate() {
                sums[at] += value;
                squares[at] += value * value;
            }
            let total: f64 = of_image.iter().copied().map(f64::from).sum();
            let square: f64 = of_image.iter().map(|&value| f64::from(value).powi(2)).sum();
            within += deviation(total, square, pairs);
        }
        done += images.len();
        progress(done);
    }
    let each = sums.iter().zip(&squares);
    let deviations: f64 = each.map(|(&sum, &square)| deviation(sum, square, images.len())).sum();
    Ok(AcrossImages {
        images: images.len(),
        deviation: deviations / sums.len() as f64,
        deviation_within: within / images.len() as f64,
        starved: longest.iter().filter(|&&length| length < STARVED).count(),
        capsules: longest.len(),
    })
}

/// The standard deviation of values with this sum and sum of squares.
fn deviation(sum: f64, square: f64, count: usize) -> f64 {
    let mean = sum / count as f64;
    (square / count as f64 - mean * mean).max(0.0).sqrt()
}
