//! Two models on the same images: whether the difference between their accuracies is more than chance, and how large.
//!
//! Answers to the same images are not independent: both models are right about the easy ones. What tells two models
//! apart are the images that one of them alone has right, and a comparison that knows them sees differences that two
//! overlapping intervals hide.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::interval::{CONFIDENCE, Interval, wilson};

/// How two models answered the same images.
///
/// Serde writes the difference, its interval and the test's p-value beside the counts, and reads the counts alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Fields", from = "Fields")]
pub struct Paired {
    /// Images that both models had right.
    pub both: u64,
    /// Images that the first model alone had right.
    pub first_only: u64,
    /// Images that the second model alone had right.
    pub second_only: u64,
    /// Images that neither had right.
    pub neither: u64,
}

/// Which of two models is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ahead {
    /// The first model.
    First,
    /// The second model.
    Second,
    /// Neither: the difference may be chance.
    Neither,
}

impl Paired {
    /// Counts which of two models had each image right.
    ///
    /// ```
    /// use capsnet_measure::Paired;
    ///
    /// let paired = Paired::count([true, true, false, true], [true, false, false, false]);
    /// assert_eq!((paired.both, paired.first_only, paired.second_only, paired.neither), (1, 2, 0, 1));
    /// assert_eq!(paired.difference(), 0.5);
    /// ```
    #[must_use]
    pub fn count(first: impl IntoIterator<Item = bool>, second: impl IntoIterator<Item = bool>) -> Self {
        let mut paired = Self::default();
        for answers in first.into_iter().zip(second) {
            *match answers {
                (true, true) => &mut paired.both,
                (true, false) => &mut paired.first_only,
                (false, true) => &mut paired.second_only,
                (false, false) => &mut paired.neither,
            } += 1;
        }
        paired
    }

    /// The number of images.
    #[must_use]
    pub const fn images(&self) -> u64 {
        self.both + self.first_only + self.second_only + self.neither
    }

    /// The first model's accuracy less the second's, -1 to 1; NaN without images.
    #[must_use]
    pub fn difference(&self) -> f64 {
        (self.first_only as f64 - self.second_only as f64) / self.images() as f64
    }

    /// The p-value of McNemar's exact test, two-sided: how likely it is that a fair coin, thrown once for every image
    /// that one model alone has right, favours either model at least as much as that.
    ///
    /// Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    /// percentages", Psychometrika 12 (1947); the exact form as in A. L. Edwards, Psychometrika 13 (1948). It never
    /// rejects too often, and somewhat too seldom where few images differ.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        let discordant = self.first_only + self.second_only;
        let fewer = self.first_only.min(self.second_only);
        let coin = Binomial::new(0.5, discordant).expect("a half is a probability");
        (2.0 * coin.cdf(fewer)).min(1.0)
    }

    /// The interval, at 95 %, of the difference between the accuracies: Newcombe's method 10, which joins the Wilson
    /// intervals of both accuracies and allows for how alike the answers are.
    ///
    /// Source: R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
    /// paired data", Statistics in Medicine 17 (1998), pages 2635 to 2650; recommended beside Tango's score interval by
    /// Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014). Everything, -1 to 1, without images.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let images = self.images();
        if images == 0 {
            return Interval { low: -1.0, high: 1.0 };
        }
        let n = images as f64;
        let rights = [self.both + self.first_only, self.both + self.second_only];
        let [(below_1, above_1), (below_2, above_2)] = rights.map(|right| {
            let (share, Interval { low, high }) = (right as f64 / n, wilson(right, images));
            (share - low, high - share)
        });
        let phi = self.phi();
        let reach = |a: f64, b: f64| (a * a - 2.0 * phi * a * b + b * b).max(0.0).sqrt();
        let difference = self.difference();
        Interval {
            low: (difference - reach(below_1, above_2)).max(-1.0),
            high: (difference + reach(above_1, below_2)).min(1.0),
        }
    }

    /// The correlation of the answers, with Newcombe's correction for continuity where it is positive.
    fn phi(&self) -> f64 {
        let [a, b, c, d] = [self.both, self.first_only, self.second_only, self.neither].map(|count| count as f64);
        let margins = (a + b) * (c + d) * (a + c) * (b + d);
        if margins == 0.0 {
            return 0.0;
        }
        let product = a * d - b * c;
        let product = if product > 0.0 {
            (product - (a + b + c + d) / 2.0).max(0.0)
        } else {
            product
        };
        product / margins.sqrt()
    }

    /// Which model is ahead by [`p_value`](Self::p_value), at 5 %.
    #[must_use]
    pub fn ahead(&self) -> Ahead {
        if self.p_value() >= 1.0 - CONFIDENCE {
            Ahead::Neither
        } else if self.first_only > self.second_only {
            Ahead::First
        } else {
            Ahead::Second
        }
    }
}

/// Counts as they are written.
#[derive(Serialize, Deserialize)]
struct Fields {
    both: u64,
    first_only: u64,
    second_only: u64,
    neither: u64,
    #[serde(skip_deserializing)]
    difference: f64,
    #[serde(skip_deserializing)]
    difference_interval: Option<Interval>,
    #[serde(skip_deserializing)]
    p_value: f64,
}

impl From<Paired> for Fields {
    fn from(paired: Paired) -> Self {
        Self {
            both: paired.both,
            first_only: paired.first_only,
            second_only: paired.second_only,
            neither: paired.neither,
            difference: paired.difference(),
            difference_interval: Some(paired.interval()),
            p_value: paired.p_value(),
        }
    }
}

impl From<Fields> for Paired {
    fn from(fields: Fields) -> Self {
        Self {
            both: fields.both,
            first_only: fields.first_only,
            second_only: fields.second_only,
            neither: fields.neither,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Deserialize)]
    struct Reference {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        counts: [u64; 4],
        p_value: f64,
        interval: [f64; 2],
        tango: [f64; 2],
    }

    fn paired([both, first_only, second_only, neither]: [u64; 4]) -> Paired {
        Paired {
            both,
            first_only,
            second_only,
            neither,
        }
    }

    /// Made by `tests/fixtures/paired.py`.
    #[test]
    fn statsmodels_and_scipy_say_the_same() {
        let reference: Reference = serde_json::from_str(include_str!("../tests/fixtures/paired.json")).unwrap();
        assert!(reference.cases.len() > 10);
        for case in reference.cases {
            let (paired, counts) = (paired(case.counts), case.counts);
            let p = paired.p_value();
            assert!((p - case.p_value).abs() <= 1e-9 * case.p_value, "{counts:?}: {p}");
            let Interval { low, high } = paired.interval();
            for (found, expected) in [low, high].into_iter().zip(case.interval) {
                assert!((found - expected).abs() < 1e-12, "{counts:?}: {found} and {expected}");
            }
            // Another method; near it where there are as many images as a test set has.
            if paired.images() >= 10_000 {
                for (found, other) in [low, high].into_iter().zip(case.tango) {
                    assert!((found - other).abs() < 2e-4, "{counts:?}: {found} and {other}");
                }
            }
        }
    }

    /// The example of Fagerland, Lydersen and Laake (2014): airway hyper-responsiveness before and after a transplant.
    #[test]
    fn the_interval_of_a_published_example() {
        let Interval { low, high } = paired([1, 1, 7, 12]).interval();
        assert!(
            (low + 0.507).abs() < 5e-4 && (high + 0.026).abs() < 5e-4,
            "{low} to {high}"
        );
    }

    #[test]
    fn a_lead_that_overlapping_intervals_hide() {
        let paired = paired([9900, 60, 38, 2]);
        let [first, second] = [9960, 9938].map(|right| wilson(right, 10_000));
        assert!(second.high > first.low, "the intervals overlap");
        assert_eq!(paired.ahead(), Ahead::First);
        assert!(paired.interval().low > 0.0);
    }

    #[test]
    fn without_differing_images_nothing_is_told() {
        for counts in [[0; 4], [10, 0, 0, 0], [3, 0, 0, 4]] {
            assert_eq!(paired(counts).p_value(), 1.0);
            assert_eq!(paired(counts).ahead(), Ahead::Neither);
        }
        assert_eq!(paired([0; 4]).interval(), Interval { low: -1.0, high: 1.0 });
    }

    #[test]
    fn the_counts_read_back() {
        let json = serde_json::to_value(paired([1, 1, 7, 12])).unwrap();
        assert!((json["p_value"].as_f64().unwrap() - 0.070_312_5).abs() < 1e-12);
        assert_eq!(serde_json::from_value::<Paired>(json).unwrap(), paired([1, 1, 7, 12]));
    }

    proptest! {
        #[test]
        fn the_models_may_change_places(counts in prop::array::uniform4(0..3000u64)) {
            let [both, first, second, neither] = counts;
            let (one, other) = (paired(counts), paired([both, second, first, neither]));
            prop_assert_eq!(one.p_value(), other.p_value());
            let (a, b) = (one.interval(), other.interval());
            prop_assert!((a.low + b.high).abs() < 1e-12 && (a.high + b.low).abs() < 1e-12);
            if one.images() > 0 {
                prop_assert!(a.low <= one.difference() && one.difference() <= a.high);
            }
        }
    }
}
