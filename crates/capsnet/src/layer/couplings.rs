//! Where the couplings between two layers of capsules come from.
//!
//! Sceptics say that routing by agreement is often no better than uniform or random links (Paik, Kwak and Kim 2019). To test that,
//! couplings can be kept from depending on the votes, in training, in testing or in both.

use std::fmt;
use std::str::FromStr;

use burn::prelude::*;
use capsnet_data::random::Seed;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::SoftmaxOver;

/// Where couplings come from. As text: `agreement`, `uniform`, `random` or `random:SEED`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Couplings {
    /// From the agreement of each vote with the output, iteration by iteration.
    #[default]
    Agreement,
    /// All equal: `1/J`, or `1/I` where the softmax goes over the inputs. The first iteration of routing by agreement uses
    /// these, so that this is the same as one iteration.
    Uniform,
    /// Drawn once from the seed for each pair of capsules, the same for every sample: the softmax of standard normal logits.
    Random(u32),
}

impl Couplings {
    /// Whether votes determine them.
    pub fn is_agreement(&self) -> bool {
        *self == Couplings::Agreement
    }

    /// The couplings of `lower` with `upper` capsules, `[I, J]` row by row, unless votes determine them.
    ///
    /// Logits are drawn in this order from the stream `couplings` of the seed.
    pub fn fixed(&self, lower: usize, upper: usize, softmax_over: SoftmaxOver) -> Option<Vec<f32>> {
        let seed = match *self {
            Couplings::Agreement => return None,
            Couplings::Uniform => return Some(vec![first_coupling(lower, upper, softmax_over); lower * upper]),
            Couplings::Random(seed) => Seed(seed.into()),
        };
        let stream = seed.stream("couplings", 0, 0);
        let logits = StandardNormal.sample_iter(stream).take(lower * upper);
        let powers: Vec<f64> = logits.map(|logit: f64| logit.exp()).collect();
        let mut sums = vec![0.0; lower.max(upper)];
        let group = |pair: usize| match softmax_over {
            SoftmaxOver::Outputs => pair / upper,
            SoftmaxOver::Inputs => pair % upper,
        };
        for (pair, power) in powers.iter().enumerate() {
            sums[group(pair)] += power;
        }
        let normalised = powers
            .iter()
            .enumerate()
            .map(|(pair, power)| (power / sums[group(pair)]) as f32);
        Some(normalised.collect())
    }
}

/// The coupling that all pairs start from.
pub(crate) fn first_coupling(lower: usize, upper: usize, softmax_over: SoftmaxOver) -> f32 {
    let sharing = match softmax_over {
        SoftmaxOver::Outputs => upper,
        SoftmaxOver::Inputs => lower,
    };
    1.0 / sharing as f32
}

/// Vote matrices `[I, E, J * D]` whose votes, coupled alike, add up as those of `weight` do with the `couplings` `[I, J]`.
///
/// A coupling that doesn't depend on the votes is a factor of the matrix that makes them.
pub(crate) fn coupled_weight(weight: Tensor<3>, couplings: Vec<f32>, upper: usize, first: f32) -> Tensor<3> {
    let [lower, dimensions, columns] = weight.dims();
    let factors: Vec<f32> = couplings.into_iter().map(|coupling| coupling / first).collect();
    let options = (&weight.device(), weight.dtype());
    let factors = Tensor::<4>::from_data(TensorData::new(factors, [lower, 1, upper, 1]), options);
    let weight = weight.reshape([lower, dimensions, upper, columns / upper]);
    (weight * factors).reshape([lower, dimensions, columns])
}

impl fmt::Display for Couplings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Couplings::Agreement => f.write_str("agreement"),
            Couplings::Uniform => f.write_str("uniform"),
            Couplings::Random(seed) => write!(f, "random:{seed}"),
        }
    }
}

/// Text that names no couplings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` are no couplings; give agreement, uniform, random or random:SEED")]
pub struct CouplingsError(String);

impl FromStr for Couplings {
    type Err = CouplingsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "agreement" => Ok(Couplings::Agreement),
            "uniform" => Ok(Couplings::Uniform),
            "random" => Ok(Couplings::Random(1)),
            _ => text
                .strip_prefix("random:")
                .and_then(|seed| seed.parse().ok())
                .map(Couplings::Random)
                .ok_or_else(|| CouplingsError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in ["agreement", "uniform", "random:1", "random:4294967295"] {
            assert_eq!(text.parse::<Couplings>().unwrap().to_string(), text);
        }
        assert_eq!("random".parse(), Ok(Couplings::Random(1)));
        for text in ["", "random:", "random:-1", "random:4294967296", "Uniform"] {
            assert!(
                text.parse::<Couplings>()
                    .unwrap_err()
                    .to_string()
                    .contains("random:SEED")
            );
        }
    }

    #[test]
    fn random_couplings_are_positive_shares_that_the_seed_determines() {
        let (lower, upper) = (6, 4);
        let draw = |seed, over| Couplings::Random(seed).fixed(lower, upper, over).unwrap();
        for over in [SoftmaxOver::Outputs, SoftmaxOver::Inputs] {
            let c = draw(3, over);
            assert!(c.iter().all(|&c| c > 0.0));
            let groups: Vec<f32> = match over {
                SoftmaxOver::Outputs => (0..lower).map(|i| (0..upper).map(|j| c[i * upper + j]).sum()).collect(),
                SoftmaxOver::Inputs => (0..upper).map(|j| (0..lower).map(|i| c[i * upper + j]).sum()).collect(),
            };
            assert!(groups.iter().all(|sum| (sum - 1.0).abs() < 1e-6), "{groups:?}");
            assert_eq!(c, draw(3, over));
            assert_ne!(c, draw(4, over));
        }
    }

    /// Ratios within a group are `exp` of differences of standard normal logits: normal, with a variance of two.
    #[test]
    fn the_logits_are_standard_normal() {
        let c = Couplings::Random(1).fixed(20_000, 2, SoftmaxOver::Outputs).unwrap();
        let differences: Vec<f64> = c.chunks_exact(2).map(|c| f64::from(c[0] / c[1]).ln()).collect();
        let mean = differences.iter().sum::<f64>() / 20_000.0;
        let variance = differences.iter().map(|d| d * d).sum::<f64>() / 20_000.0 - mean * mean;
        // Four standard errors: sqrt(2 / n), and 2 sqrt(2 / n) for the variance.
        assert!(mean.abs() < 0.04 && (variance - 2.0).abs() < 0.08, "{mean}, {variance}");
    }
}
