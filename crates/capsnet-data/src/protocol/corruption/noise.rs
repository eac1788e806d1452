//! Corruptions of single pixels and of whole columns.

use rand::{Rng, RngExt};

/// The mean count of a pixel at full brightness.
const PHOTONS: f64 = 3.0;

/// Replaces every pixel by a Poisson draw of its own brightness, counted in photons.
pub(super) fn shot(pixels: &mut [u8], rng: &mut impl Rng) {
    for pixel in pixels {
        let count = poisson(f64::from(*pixel) / 255.0 * PHOTONS, rng);
        // The cast clips.
        *pixel = (f64::from(count) * 255.0 / PHOTONS).round() as u8;
    }
}

/// Knuth's draw, whose time grows with the mean: how many uniform numbers can be multiplied before the product falls
/// below `exp(-mean)`.
fn poisson(mean: f64, rng: &mut impl Rng) -> u32 {
    let limit = (-mean).exp();
    let mut product: f64 = rng.random();
    let mut count = 0;
    while product > limit {
        product *= rng.random::<f64>();
        count += 1;
    }
    count
}

/// Adds half the full range.
pub(super) fn brighten(pixels: &mut [u8]) {
    for pixel in pixels {
        *pixel = pixel.saturating_add(128);
    }
}

/// Inverts the left and the right quarter.
pub(super) fn stripe(pixels: &mut [u8], width: usize) {
    let quarter = width / 4;
    for row in pixels.chunks_exact_mut(width) {
        for column in (0..quarter).chain(width - quarter..width) {
            row[column] = 255 - row[column];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn photon_counts_have_mean_and_variance_alike() {
        let mut rng = Seed(2).stream("poisson", 0, 0);
        for mean in [0.3, 3.0] {
            let draws: Vec<f64> = (0..20_000).map(|_| f64::from(poisson(mean, &mut rng))).collect();
            let average = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|draw| (draw - average).powi(2)).sum::<f64>() / 20_000.0;
            // Standard errors at a mean of 3: 0.012 and 0.032.
            assert!(
                (average - mean).abs() < 0.06 && (variance - mean).abs() < 0.16,
                "{average} {variance}"
            );
        }
        assert_eq!(poisson(0.0, &mut rng), 0);
    }
}
