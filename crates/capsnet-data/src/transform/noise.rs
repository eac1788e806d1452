//! Noise on grey levels: Gaussian, and salt and pepper.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Adds independent Gaussian noise of standard deviation `std` grey levels, rounds, and clips to 0..=255.
pub(super) fn gaussian(pixels: &mut [u8], std: f64, rng: &mut impl Rng) {
    for pixel in pixels {
        let noise: f64 = rng.sample(StandardNormal);
        // The cast clips.
        *pixel = (f64::from(*pixel) + std * noise).round() as u8;
    }
}

/// Replaces each pixel with `probability`, by black or by white with equal chances.
pub(super) fn salt_and_pepper(pixels: &mut [u8], probability: f64, rng: &mut impl Rng) {
    for pixel in pixels {
        let draw: f64 = rng.random();
        if draw < probability {
            *pixel = if draw < 0.5 * probability { 0 } else { 255 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    const COUNT: usize = 20_000;

    #[test]
    fn gaussian_noise_has_the_deviation_asked_for() {
        let mut pixels = vec![128; COUNT];
        gaussian(&mut pixels, 20.0, &mut Seed(5).stream("noise", 0, 0));
        let mean = pixels.iter().map(|&p| f64::from(p)).sum::<f64>() / COUNT as f64;
        let variance = pixels.iter().map(|&p| (f64::from(p) - mean).powi(2)).sum::<f64>() / COUNT as f64;
        // Standard errors of mean and deviation: 0.14 and 0.1.
        assert!((mean - 128.0).abs() < 0.7, "{mean}");
        assert!((variance.sqrt() - 20.0).abs() < 0.5, "{variance}");
    }

    #[test]
    fn gaussian_noise_clips() {
        let mut pixels = [0, 255].repeat(500);
        gaussian(&mut pixels, 255.0, &mut Seed(5).stream("noise", 0, 1));
        let dark = pixels.iter().step_by(2).filter(|&&p| p == 0).count();
        let bright = pixels.iter().skip(1).step_by(2).filter(|&&p| p == 255).count();
        // Half of 500 each, with a standard deviation of 11.
        assert!(
            (190..310).contains(&dark) && (190..310).contains(&bright),
            "{dark} {bright}"
        );
    }

    #[test]
    fn salt_and_pepper_come_in_equal_parts() {
        let mut pixels = vec![128; COUNT];
        salt_and_pepper(&mut pixels, 0.2, &mut Seed(5).stream("salt", 0, 0));
        let count = |level: u8| pixels.iter().filter(|&&p| p == level).count();
        // Binomial with mean 2000 and standard deviation 42.
        assert!(count(0).abs_diff(2000) < 200 && count(255).abs_diff(2000) < 200);
        assert_eq!(count(0) + count(255) + count(128), COUNT);
    }
}
