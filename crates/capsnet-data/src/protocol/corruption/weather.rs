//! Corruptions that lie over the whole image: fog, and blots of mud.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::blur::{blur, levels, write};

/// How much brighter than a full pixel the densest fog is.
const FOG: f64 = 3.0;
/// By what the steps of the cloud shrink from one scale to the next.
const FOG_DECAY: f64 = 1.4;
/// Mean and deviation of the wetness, and the wetness from which it leaves a blot.
const WETNESS: (f64, f64) = (0.65, 0.3);
const BLOT: f64 = 0.65;
/// Deviation of the smoothing of the wetness, and of the blots' edges, in pixels.
const BLOT_SIGMAS: (f64, f64) = (1.0, 1.5);
/// How much of a smoothed blot is left out as too thin.
const THIN: f64 = 0.8;
/// The grey level of mud.
const MUD: f64 = 63.0;

/// Adds a cloud, and dims the sum so that the brightest pixel can't be brighter than before.
pub(super) fn fog(pixels: &mut [u8], width: usize, rng: &mut impl Rng) {
    let height = pixels.len() / width;
    let size = (2 * width.max(height)).next_power_of_two();
    let cloud = cloud(size, rng);
    let brightest = f64::from(pixels.iter().copied().max().unwrap_or(0)) / 255.0;
    let dim = brightest / (brightest + FOG);
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let fog = FOG * 255.0 * cloud[index / width * size + index % width];
        *pixel = ((f64::from(*pixel) + fog) * dim).round() as u8;
    }
}

/// A random landscape of `size * size` points, a power of two, from 0 to 1, which continues at the opposite edge:
/// midpoints are the mean of their four neighbours and a uniform step, first of squares, then of diamonds.
fn cloud(size: usize, rng: &mut impl Rng) -> Vec<f64> {
    let mut heights = vec![0.0; size * size];
    let (mut stride, mut step) = (size, 1.0);
    while stride >= 2 {
        let half = stride / 2;
        let mut midpoint = |heights: &mut [f64], line: usize, column: usize, neighbours: [[usize; 2]; 4]| {
            let at = |[down, right]: [usize; 2]| heights[(line + down) % size * size + (column + right) % size];
            let mean = neighbours.map(at).iter().sum::<f64>() / 4.0;
            heights[line * size + column] = mean + step * (2.0 * rng.random::<f64>() - 1.0);
        };
        // A step back is one of `size - half` forward.
        let back = size - half;
        let corners = [[half, half], [half, back], [back, half], [back, back]];
        let sides = [[0, half], [0, back], [half, 0], [back, 0]];
        for line in (0..size).step_by(stride) {
            for column in (0..size).step_by(stride) {
                midpoint(&mut heights, line + half, column + half, corners);
            }
        }
        for line in (0..size).step_by(stride) {
            for column in (0..size).step_by(stride) {
                midpoint(&mut heights, line, column + half, sides);
                midpoint(&mut heights, line + half, column, sides);
            }
        }
        (stride, step) = (half, step / FOG_DECAY);
    }
    let lowest = heights.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = heights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = (highest - lowest).max(f64::MIN_POSITIVE);
    heights.iter().map(|height| (height - lowest) / range).collect()
}

/// Covers the image where a smooth random wetness is high.
pub(super) fn spatter(pixels: &mut [u8], width: usize, rng: &mut impl Rng) {
    let mut wetness: Vec<f64> = (0..pixels.len())
        .map(|_| WETNESS.0 + WETNESS.1 * rng.sample::<f64, _>(StandardNormal))
        .collect();
    blur(&mut wetness, width, BLOT_SIGMAS.0);
    let mut blots: Vec<f64> = wetness.iter().map(|&wet| f64::from(u8::from(wet > BLOT))).collect();
    blur(&mut blots, width, BLOT_SIGMAS.1);
    let mut field = levels(pixels);
    for (level, &blot) in field.iter_mut().zip(&blots) {
        if blot >= THIN {
            *level += (MUD - *level) * blot;
        }
    }
    write(&field, pixels);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn a_cloud_fills_its_range_and_has_no_cliffs() {
        let size = 64;
        let cloud = cloud(size, &mut Seed(4).stream("cloud", 0, 0));
        assert!(cloud.iter().all(|height| (0.0..=1.0).contains(height)));
        assert!(cloud.contains(&0.0) && cloud.contains(&1.0));
        let spread = |mean: f64| cloud.iter().map(|height| (height - mean).powi(2)).sum::<f64>();
        let mean = cloud.iter().sum::<f64>() / (size * size) as f64;
        let steps: f64 = (0..size * size)
            .map(|i| (cloud[i] - cloud[i / size * size + (i + 1) % size]).powi(2))
            .sum();
        // Neighbours that were independent would differ by twice the variance.
        assert!(steps < spread(mean), "{steps} {}", spread(mean));
    }
}
