//! How strongly an image is changed: a number that an image draws once and that several steps share (the augmentation
//! of Mazzia, Salvetti, Chiaberge 2021, "Efficient-CapsNet").
//!
//! `g = min(|N(0, 0.33)|, 0.9999)`: most images are changed a little, hardly any as far as the steps allow.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Standard deviation of the normal distribution behind it.
const DEVIATION: f64 = 0.33;
/// What it never exceeds, so that a whole number of pixels below a bound stays below it.
const MOST: f64 = 0.9999;

/// Draws an image's strength, 0 to 0.9999.
pub(super) fn draw(rng: &mut impl Rng) -> f64 {
    let normal: f64 = rng.sample(StandardNormal);
    (DEVIATION * normal).abs().min(MOST)
}

/// The angle of `tilt`: none for every other image, else `most` degrees times the strength, either way.
pub(super) fn tilt(most: f64, strength: f64, rng: &mut impl Rng) -> Option<f64> {
    rng.random::<bool>().then(|| {
        let sign = if rng.random() { 1.0 } else { -1.0 };
        sign * most * strength
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn strengths_are_half_of_a_normal_distribution() {
        let mut rng = Seed(3).stream("strength", 0, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| draw(&mut rng)).collect();
        assert!(draws.iter().all(|g| (0.0..=MOST).contains(g)));
        // The quartiles of |N(0, 1)| are 0.3186, 0.6745 and 1.1503; the standard errors of these shares are 0.35 %.
        for (quantile, share) in [(0.3186, 0.25), (0.6745, 0.5), (1.1503, 0.75)] {
            let below = draws.iter().filter(|&&g| g < DEVIATION * quantile).count();
            assert!((below as f64 / 20_000.0 - share).abs() < 0.02, "{share}: {below}");
        }
    }

    #[test]
    fn every_other_image_is_tilted_either_way() {
        let mut rng = Seed(3).stream("tilt", 0, 0);
        let angles: Vec<f64> = (0..4000).filter_map(|_| tilt(30.0, 0.5, &mut rng)).collect();
        // Binomial with mean 2000 and standard deviation 32, and half of those.
        assert!(angles.len().abs_diff(2000) < 160, "{}", angles.len());
        assert!(angles.iter().all(|&angle| angle.abs() == 15.0));
        let left = angles.iter().filter(|&&angle| angle > 0.0).count();
        assert!(left.abs_diff(1000) < 120, "{left}");
    }
}
