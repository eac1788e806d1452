//! Random couplings, drawn once from a seed for each pair of capsules and the same for every sample: the softmax of
//! standard normal logits.
//!
//! Beside equal ones ([`super::uniform`]), these are what routing by agreement has to beat (Paik, Kwak and Kim 2019).

use std::fmt;

use burn::prelude::*;
use capsnet_data::random::Seed;
use rand_distr::{Distribution, StandardNormal};

use super::dynamic::{Dynamic, suffix};
use super::uniform::{equal_coupling, route_fixed};
use super::{Algorithm, CouplingsOver, Number, Route, Routing, Trace, Upper, Votes};
use crate::ops::route_votes;

pub(super) const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        name: "random",
        about: "couplings drawn once from a seed",
        number: Number::Seed,
        make: |seed| {
            let instead_of = Dynamic::default();
            Routing::new(Random { seed, instead_of })
        },
    },
    Algorithm {
        name: "random-inputs",
        about: "couplings drawn once from a seed that sum to one over the inputs",
        number: Number::Seed,
        make: |seed| {
            let instead_of = Dynamic::new(3, CouplingsOver::Inputs);
            Routing::new(Random { seed, instead_of })
        },
    },
];

/// Couplings drawn once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random {
    /// The seed.
    pub seed: u32,
    /// The dynamic routing whose place they take: it says over which capsules they sum to one. Iterations mean nothing
    /// here, and are kept for when it takes its place back.
    pub instead_of: Dynamic,
}

impl Random {
    /// The couplings of `lower` with `upper` capsules, `[I, J]` row by row.
    ///
    /// Logits are drawn in this order from the stream `couplings` of the seed.
    pub fn couplings(&self, lower: usize, upper: usize) -> Vec<f64> {
        let stream = Seed(self.seed.into()).stream("couplings", 0, 0);
        let logits = StandardNormal.sample_iter(stream).take(lower * upper);
        let powers: Vec<f64> = logits.map(|logit: f64| logit.exp()).collect();
        let mut sums = vec![0.0; lower.max(upper)];
        let group = |pair: usize| match self.instead_of.couplings_over {
            CouplingsOver::Outputs => pair / upper,
            CouplingsOver::Inputs => pair % upper,
        };
        for (pair, power) in powers.iter().enumerate() {
            sums[group(pair)] += power;
        }
        let shares = powers.iter().enumerate();
        shares.map(|(pair, power)| power / sums[group(pair)]).collect()
    }
}

impl fmt::Display for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "random{}:{}", suffix(self.instead_of.couplings_over), self.seed)
    }
}

impl Route for Random {
    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let [_, upper, lower, _] = votes.u_hat.dims();
        route_fixed(votes, self.couplings(lower, upper), trace)
    }

    fn iterations(&self) -> usize {
        self.instead_of.iterations
    }

    fn couplings_over(&self) -> Option<CouplingsOver> {
        Some(self.instead_of.couplings_over)
    }

    /// A coupling that doesn't depend on the votes is a factor of the matrix that makes them, and Burn differentiates
    /// that.
    fn fused(&self, u: &Tensor<3>, weight: &Tensor<3>, upper: usize) -> Option<Upper> {
        let over = self.instead_of.couplings_over;
        let [lower, dimensions, columns] = weight.dims();
        // The kernel starts from equal couplings by itself.
        let equal = equal_coupling(lower, upper, over) as f32;
        let couplings = self.couplings(lower, upper);
        let factors: Vec<f32> = couplings.iter().map(|&c| c as f32 / equal).collect();
        let options = (&weight.device(), weight.dtype());
        let factors = Tensor::<4>::from_data(TensorData::new(factors, [lower, 1, upper, 1]), options);
        let weight = weight.clone().reshape([lower, dimensions, upper, columns / upper]);
        let weight = (weight * factors).reshape([lower, dimensions, columns]);
        route_votes(u.clone(), weight, upper, 1, over).map(Upper::by_length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    fn draw(seed: u32, [lower, upper]: [usize; 2], over: CouplingsOver) -> Vec<f64> {
        let instead_of = Dynamic::new(3, over);
        Random { seed, instead_of }.couplings(lower, upper)
    }

    #[test]
    fn random_couplings_are_positive_shares_that_the_seed_determines() {
        let (lower, upper) = (6, 4);
        for over in [CouplingsOver::Outputs, CouplingsOver::Inputs] {
            let c = draw(3, [lower, upper], over);
            assert!(c.iter().all(|&c| c > 0.0));
            let groups: Vec<f64> = match over {
                CouplingsOver::Outputs => (0..lower).map(|i| (0..upper).map(|j| c[i * upper + j]).sum()).collect(),
                CouplingsOver::Inputs => (0..upper).map(|j| (0..lower).map(|i| c[i * upper + j]).sum()).collect(),
            };
            assert!(groups.iter().all(|sum| (sum - 1.0).abs() < 1e-12), "{groups:?}");
            assert_eq!(c, draw(3, [lower, upper], over));
            assert_ne!(c, draw(4, [lower, upper], over));
        }
    }

    /// Ratios within a group are `exp` of differences of standard normal logits: normal, with a variance of two.
    #[test]
    fn the_logits_are_standard_normal() {
        let c = draw(1, [20_000, 2], CouplingsOver::Outputs);
        let differences: Vec<f64> = c.chunks_exact(2).map(|c| (c[0] / c[1]).ln()).collect();
        let mean = differences.iter().sum::<f64>() / 20_000.0;
        let variance = differences.iter().map(|d| d * d).sum::<f64>() / 20_000.0 - mean * mean;
        // Four standard errors: sqrt(2 / n), and 2 sqrt(2 / n) for the variance.
        assert!(mean.abs() < 0.04 && (variance - 2.0).abs() < 0.08, "{mean}, {variance}");
    }

    /// Each sum by its definition, in f64.
    #[test]
    fn random_couplings_weigh_the_votes_of_every_sample_alike() {
        let [batch, upper, lower, dimensions] = [2, 3, 5, 4];
        let u_hat = normal([batch, upper, lower, dimensions], 1, &Device::flex());
        let values: Vec<f32> = u_hat.clone().into_data().try_to_vec().unwrap();
        for over in [CouplingsOver::Outputs, CouplingsOver::Inputs] {
            let c = draw(5, [lower, upper], over);
            let instead_of = Dynamic::new(3, over);
            let routed = Routing::new(Random { seed: 5, instead_of }).forward_with_couplings(u_hat.clone());
            let v: Vec<f32> = routed.upper.v.into_data().try_to_vec().unwrap();
            for b in 0..batch {
                for j in 0..upper {
                    let s: Vec<f64> = (0..dimensions)
                        .map(|d| {
                            let vote = |i| f64::from(values[((b * upper + j) * lower + i) * dimensions + d]);
                            (0..lower).map(|i| c[i * upper + j] * vote(i)).sum()
                        })
                        .collect();
                    let n2: f64 = s.iter().map(|s| s * s).sum();
                    for d in 0..dimensions {
                        let expected = s[d] * n2.sqrt() / (1.0 + n2);
                        let found = f64::from(v[(b * upper + j) * dimensions + d]);
                        assert!((found - expected).abs() < 1e-5, "{found}, {expected}");
                    }
                }
            }
            let [seen] = &routed.iterations[..] else {
                panic!("one iteration")
            };
            let of_a_sample = seen.couplings.clone().narrow(0, 1, 1).swap_dims(1, 2).into_data();
            let c: Vec<f32> = c.into_iter().map(|c| c as f32).collect();
            assert_eq!(of_a_sample.try_to_vec::<f32>().unwrap(), c);
        }
    }
}
