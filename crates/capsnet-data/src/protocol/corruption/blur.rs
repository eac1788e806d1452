//! Corruptions that smear the image: as seen through glass, and in motion.

use rand::{Rng, RngExt};

use crate::transform::elastic::{gaussian, smooth};

/// Standard deviation of the blur of the glass, in pixels.
const GLASS_SIGMA: f64 = 0.7;
/// How often the whole image is shuffled.
const GLASS_ROUNDS: usize = 2;
/// Standard deviation along the motion, in pixels.
const MOTION_SIGMA: f64 = 3.0;
/// Where the motion begins, in pixels.
const MOTION_REACH: usize = 10;
/// Largest slope of the motion either way, in degrees.
const MOTION_ANGLE: f64 = 45.0;

/// Smooths `field`, rows of `width`, by a Gaussian of `sigma` pixels; 0 outside.
pub(super) fn blur(field: &mut [f64], width: usize, sigma: f64) {
    let (mut kernel, mut half_smoothed) = (Vec::new(), Vec::new());
    gaussian(sigma, width.max(field.len() / width), &mut kernel);
    smooth(field, width, &kernel, &mut half_smoothed);
}

/// Grey levels as doubles.
pub(super) fn levels(pixels: &[u8]) -> Vec<f64> {
    pixels.iter().map(|&pixel| f64::from(pixel)).collect()
}

/// Writes rounded and clipped grey levels.
pub(super) fn write(field: &[f64], pixels: &mut [u8]) {
    for (pixel, level) in pixels.iter_mut().zip(field) {
        *pixel = level.round() as u8;
    }
}

/// Blurs, swaps pixels with neighbours, and blurs again.
pub(super) fn glass(pixels: &mut [u8], width: usize, rng: &mut impl Rng) {
    let mut field = levels(pixels);
    blur(&mut field, width, GLASS_SIGMA);
    let height = field.len() / width;
    for _ in 0..GLASS_ROUNDS {
        // The border stays, so that every neighbour exists.
        for line in 1..height.saturating_sub(1) {
            for column in 1..width.saturating_sub(1) {
                if rng.random::<bool>() {
                    let mut nearby = |place: usize| place + rng.random_range(0..=2usize) - 1;
                    let neighbour = nearby(line) * width + nearby(column);
                    field.swap(line * width + column, neighbour);
                }
            }
        }
    }
    blur(&mut field, width, GLASS_SIGMA);
    write(&field, pixels);
}

/// Replaces each pixel by a weighted mean of what lies up to 10 px away in one direction.
pub(super) fn motion(pixels: &mut [u8], width: usize, rng: &mut impl Rng) {
    let angle = (MOTION_ANGLE * (2.0 * rng.random::<f64>() - 1.0)).to_radians();
    let (dy, dx) = angle.sin_cos();
    let mut kernel = Vec::new();
    gaussian(MOTION_SIGMA, MOTION_REACH + 1, &mut kernel);
    // Half a kernel, of which the weights have to sum to 1.
    let total: f64 = kernel.iter().sum();
    let field = levels(pixels);
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let (x, y) = ((index % width) as f64, (index / width) as f64);
        let smeared: f64 = kernel
            .iter()
            .enumerate()
            .map(|(k, weight)| weight / total * at(&field, width, x + k as f64 * dx, y + k as f64 * dy))
            .sum();
        *pixel = smeared.round() as u8;
    }
}

/// The field at a point, a pixel's centre being at whole numbers: bilinear, 0 outside.
fn at(field: &[f64], width: usize, x: f64, y: f64) -> f64 {
    let (left, top) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - top);
    let height = field.len() / width;
    let pixel = |column: f64, line: f64| {
        let inside = (0.0..width as f64).contains(&column) && (0.0..height as f64).contains(&line);
        if inside {
            field[line as usize * width + column as usize]
        } else {
            0.0
        }
    };
    let upper = pixel(left, top) * (1.0 - dx) + pixel(left + 1.0, top) * dx;
    let lower = pixel(left, top + 1.0) * (1.0 - dx) + pixel(left + 1.0, top + 1.0) * dx;
    upper * (1.0 - dy) + lower * dy
}
