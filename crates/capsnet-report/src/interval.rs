//! Confidence intervals of measured accuracies.

/// A range of fractions of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end, at least 0.
    pub low: f64,
    /// Its upper end, at most 1.
    pub high: f64,
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
/// let interval = capsnet_report::wilson(9931, 10_000);
/// assert!((interval.low - 0.9913).abs() < 1e-4 && (interval.high - 0.9945).abs() < 1e-4);
/// ```
#[must_use]
pub fn wilson(correct: u64, images: u64) -> Interval {
    if images == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let n = images as f64;
    let p = correct.min(images) as f64 / n;
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

    #[test]
    fn edges() {
        assert_eq!(wilson(0, 0), Interval { low: 0.0, high: 1.0 });
        assert_eq!(wilson(9, 4), wilson(4, 4));
        assert_eq!(wilson(0, 10).low, 0.0);
        assert_eq!(wilson(10, 10).high, 1.0);
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
