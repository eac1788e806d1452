//! Confidence intervals of measured accuracies.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A range of accuracies, or of differences between two. Serde writes it as `[low, high]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl From<[f64; 2]> for Interval {
    fn from([low, high]: [f64; 2]) -> Self {
        Self { low, high }
    }
}

impl From<Interval> for [f64; 2] {
    fn from(Interval { low, high }: Interval) -> Self {
        [low, high]
    }
}

/// The confidence of every interval in this crate.
pub const CONFIDENCE: f64 = 0.95;

/// The 97.5 % quantile of the standard normal distribution: 2.5 % lie beyond it on either side.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's score interval, at 95 %, of the accuracy behind `correct` right answers to `images` images.
///
/// It holds its level also near 0 and 1 and for few images, where the usual "p plus or minus two standard errors"
/// leaves the range or has no width. It speaks of the test images as a sample: of how far the figure would move with
/// other images of the same kind, not of how far it moves with another seed of the training.
///
/// Without images the interval is everything, 0 to 1. `correct` beyond `images` counts as `images`.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927);
/// method 3 in R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17
/// (1998).
///
/// ```
/// let interval = capsnet_measure::wilson(9931, 10_000);
/// assert!((interval.low - 0.9913).abs() < 1e-4 && (interval.high - 0.9945).abs() < 1e-4);
/// ```
#[must_use]
pub fn wilson(correct: u64, images: u64) -> Interval {
    if images == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    wilson_of_share(correct.min(images) as f64 / images as f64, images)
}

/// Wilson's interval of a share `p`, 0 to 1, of so many images, which need not be a whole number of them.
fn wilson_of_share(p: f64, images: u64) -> Interval {
    let n = images as f64;
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let reach = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // The ends are 0 and 1 exactly where all answers agree; rounding must not put them beyond p.
    Interval {
        low: ((centre - reach) / scale).clamp(0.0, p),
        high: ((centre + reach) / scale).clamp(p, 1.0),
    }
}

/// The interval, at 95 %, of an accuracy that was measured on `each` variants of every image: `correct` holds how many
/// of its variants were answered right.
///
/// The variants of an image are answered alike, so that [`wilson`] over all of them would be too narrow. Here an image
/// is one observation, its share of right answers: their mean plus or minus 1.96 standard errors, cut to 0..1. Of one
/// variant each, of a single image, and of shares that are all alike, it is Wilson's interval over the images.
///
/// ```
/// // A thousand images, half of them right in all of 32 variants and half in none: no better than a thousand answers.
/// let halves: Vec<u64> = (0..1000).map(|image| 32 * (image % 2)).collect();
/// let interval = capsnet_measure::clustered(&halves, 32);
/// assert!((interval.low - 0.469).abs() < 1e-3 && (interval.high - 0.531).abs() < 1e-3);
/// ```
#[must_use]
pub fn clustered(correct: &[u64], each: u64) -> Interval {
    let (images, total) = (correct.len() as u64, correct.iter().sum::<u64>());
    if images == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let n = images as f64;
    let shares = || correct.iter().map(|&right| right as f64 / each as f64);
    let mean = total as f64 / (n * each as f64);
    let variance = shares().map(|share| (share - mean).powi(2)).sum::<f64>() / (n - 1.0);
    if images < 2 || each < 2 || variance == 0.0 {
        // Nothing is known of how far images differ.
        return wilson_of_share(mean, images);
    }
    let reach = Z * (variance / n).sqrt();
    Interval {
        low: (mean - reach).max(0.0),
        high: (mean + reach).min(1.0),
    }
}

/// The 97.5 % quantile of Student's t.
fn student_quantile(degrees: usize) -> f64 {
    let distribution = StudentsT::new(0.0, 1.0, degrees as f64).expect("there is a degree of freedom at least");
    distribution.inverse_cdf(1.0 - (1.0 - CONFIDENCE) / 2.0)
}

/// Student's interval, at 95 %, of the mean of the accuracies that several seeds came to, cut off at 0 and 1; `None`
/// for fewer than two.
///
/// It speaks of the seeds as a sample: of how far the mean would move with other ones. With two seeds it is six times
/// as wide as the distance between them, which is all that two numbers tell.
///
/// ```
/// let interval = capsnet_measure::student(&[0.97, 0.98, 0.99]).unwrap();
/// // 0.98 plus or minus 4.303 * 0.01 / sqrt(3)
/// assert!((interval.low - 0.9552).abs() < 1e-4 && interval.high == 1.0);
/// ```
#[must_use]
pub fn student(accuracies: &[f64]) -> Option<Interval> {
    within(accuracies, [0.0, 1.0])
}

/// Student's interval, at 95 %, of the mean of differences between two models' accuracies, one a seed, cut off at -1
/// and 1; `None` for fewer than two.
///
/// ```
/// let interval = capsnet_measure::interval::student_of_differences(&[-0.02, 0.0, -0.01]).unwrap();
/// // -0.01 plus or minus 4.303 * 0.01 / sqrt(3)
/// assert!((interval.low + 0.0348).abs() < 1e-4 && (interval.high - 0.0148).abs() < 1e-4);
/// ```
#[must_use]
pub fn student_of_differences(differences: &[f64]) -> Option<Interval> {
    within(differences, [-1.0, 1.0])
}

/// Student's interval, at 95 %, of the mean of figures that have no greatest value, such as errors over a reference's,
/// cut off at 0; `None` for fewer than two.
#[must_use]
pub fn student_of_ratios(ratios: &[f64]) -> Option<Interval> {
    within(ratios, [0.0, f64::INFINITY])
}

/// Student's interval of the mean, cut off at both `ends`.
fn within(values: &[f64], ends: [f64; 2]) -> Option<Interval> {
    let count = values.len();
    if count < 2 {
        return None;
    }
    let n = count as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let reach = student_quantile(count - 1) * (variance / n).sqrt();
    Some(Interval {
        low: (mean - reach).clamp(ends[0], ends[1]),
        high: (mean + reach).clamp(ends[0], ends[1]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_of_newcombe_1998() {
        // Table I of the paper, method 3: four decimals.
        for (correct, images, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let interval = wilson(correct, images);
            assert!((interval.low - low).abs() < 5.1e-5, "{correct}/{images}: {interval:?}");
            assert!(
                (interval.high - high).abs() < 5.1e-5,
                "{correct}/{images}: {interval:?}"
            );
        }
    }

    #[test]
    fn the_ends_solve_the_score_equation() {
        // Wilson's ends are the two fractions q with |p - q| = z sqrt(q (1 - q) / n).
        for (correct, images) in [(3, 7), (9931, 10_000), (1, 29), (500, 1000)] {
            let (p, n) = (correct as f64 / images as f64, images as f64);
            let Interval { low, high } = wilson(correct, images);
            for q in [low, high] {
                assert!(((p - q).abs() - Z * (q * (1.0 - q) / n).sqrt()).abs() < 1e-12);
            }
        }
    }

    /// Four images with 1, 2, 3 and 4 of 4 right: mean 0.625, deviation of the shares sqrt(5 / 48).
    #[test]
    fn an_image_is_one_observation_however_many_variants_it_has() {
        let Interval { low, high } = clustered(&[1, 2, 3, 4], 4);
        let reach = 1.96 * (5f64 / 48.0).sqrt() / 2.0;
        assert!((low - (0.625 - reach)).abs() < 1e-4 && (high - (0.625 + reach)).abs() < 1e-4);
        // Where all variants of an image agree, there is as much to know as from one of them.
        let (one, many): (Vec<u64>, Vec<u64>) = (0..400).map(|k| u64::from(k % 5 > 0)).map(|r| (r, 32 * r)).unzip();
        let (wilson, same) = (clustered(&one, 1), clustered(&many, 32));
        assert_eq!(wilson, super::wilson(320, 400));
        assert!((wilson.low - same.low).abs() < 4e-3 && (wilson.high - same.high).abs() < 4e-3);
        for (all, share) in [([0, 0], 0), ([3, 3], 2)] {
            assert_eq!(clustered(&all, 3), super::wilson(share, 2));
        }
        assert_eq!(clustered(&[], 4), Interval { low: 0.0, high: 1.0 });
        // Partly right alike: the mean is inside, and nothing is certain.
        for (correct, mean) in [(vec![1], 1.0 / 32.0), (vec![16, 16], 0.5)] {
            let Interval { low, high } = clustered(&correct, 32);
            assert!(low < mean && mean < high && high - low > 0.5, "{low} to {high}");
        }
    }

    #[test]
    fn edges() {
        assert_eq!(wilson(0, 0), Interval { low: 0.0, high: 1.0 });
        assert_eq!(wilson(9, 4), wilson(4, 4));
        assert_eq!(wilson(0, 10).low, 0.0);
        assert_eq!(wilson(10, 10).high, 1.0);
    }

    /// Values of SciPy 1.16, `scipy.stats.t.ppf(0.975, n)`.
    #[test]
    fn quantiles_of_students_t() {
        for (degrees, t) in [
            (1, 12.706204736),
            (2, 4.30265273),
            (9, 2.262157163),
            (10, 2.228138852),
            (11, 2.20098516),
            (20, 2.085963447),
            (120, 1.979930405),
        ] {
            assert!((student_quantile(degrees) - t).abs() < 1e-8, "{degrees}");
        }
    }

    #[test]
    fn the_seeds_spread_makes_students_interval() {
        assert_eq!(student(&[]), None);
        assert_eq!(student(&[0.5]), None);
        assert_eq!(student(&[0.75; 4]), Some(Interval { low: 0.75, high: 0.75 }));
        // Deviation 0.1 / sqrt(2), error of the mean 0.05.
        let two = student(&[0.4, 0.5]).unwrap();
        assert_eq!((two.low, two.high), (0.0, 1.0));
        // Mean 0.5, variance (0.02^2 + 0.02^2) / 3, error sqrt(variance / 4).
        let four = student(&[0.48, 0.5, 0.5, 0.52]).unwrap();
        let reach = 3.182446305 * (0.0008f64 / 3.0 / 4.0).sqrt();
        assert!((four.low - (0.5 - reach)).abs() < 1e-9 && (four.high - (0.5 + reach)).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn it_holds_the_estimate_lies_in_0_to_1_and_mirrors(images in 1..2_000_000u64, share in 0.0..=1.0f64) {
            let correct = ((images as f64) * share) as u64;
            let Interval { low, high } = wilson(correct, images);
            let p = correct as f64 / images as f64;
            prop_assert!(0.0 <= low && low <= p && p <= high && high <= 1.0);
            prop_assert!(low < high);
            let mirrored = wilson(images - correct, images);
            prop_assert!((mirrored.low - (1.0 - high)).abs() < 1e-12);
            prop_assert!((mirrored.high - (1.0 - low)).abs() < 1e-12);
        }

        #[test]
        fn more_images_make_it_narrower(images in 1..100_000u64, share in 0.0..=1.0f64, times in 2..20u64) {
            let correct = ((images as f64) * share) as u64;
            let (few, many) = (wilson(correct, images), wilson(correct * times, images * times));
            prop_assert!(many.high - many.low < few.high - few.low);
        }
    }
}
