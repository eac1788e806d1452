//! Equal couplings: `c = 1/J`, or `1/I` where they sum to one over the inputs.
//!
//! Sceptics say that routing by agreement is often no better than uniform or random links (Paik, Kwak and Kim 2019). To
//! test that, couplings can be kept from depending on the votes, in training, in testing or in both. The first
//! iteration of dynamic routing uses equal ones, so that this is the same as one iteration: the output is the squashed
//! mean of the votes.

use std::fmt;

use burn::prelude::*;

use super::dynamic::{Dynamic, suffix};
use super::{Algorithm, CouplingsOver, Number, Route, Routing, Trace, Upper, Votes};
use crate::layer::squash;
use crate::ops::route_votes;

pub(super) const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        name: "uniform",
        about: "equal couplings",
        number: Number::None,
        make: |_| Routing::new(Uniform::default()),
    },
    Algorithm {
        name: "uniform-inputs",
        about: "equal couplings that sum to one over the inputs",
        number: Number::None,
        make: |_| {
            let instead_of = Dynamic::new(3, CouplingsOver::Inputs);
            Routing::new(Uniform { instead_of })
        },
    },
];

/// Equal couplings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uniform {
    /// The dynamic routing whose place they take: it says over which capsules they sum to one. Iterations mean nothing
    /// here, and are kept for when it takes its place back.
    pub instead_of: Dynamic,
}

impl fmt::Display for Uniform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uniform{}", suffix(self.instead_of.couplings_over))
    }
}

impl Route for Uniform {
    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let [_, upper, lower, _] = votes.u_hat.dims();
        let couplings = vec![equal_coupling(lower, upper, self.instead_of.couplings_over); lower * upper];
        route_fixed(votes, couplings, trace)
    }

    fn iterations(&self) -> usize {
        self.instead_of.iterations
    }

    fn couplings_over(&self) -> Option<CouplingsOver> {
        Some(self.instead_of.couplings_over)
    }

    fn keeps_turns(&self) -> bool {
        true
    }

    fn fused(&self, u: &Tensor<3>, weight: &Tensor<3>, upper: usize) -> Option<Upper> {
        let (u, weight) = (u.clone(), weight.clone());
        route_votes(u, weight, upper, 1, self.instead_of.couplings_over).map(Upper::by_length)
    }
}

/// The coupling of every pair, if all are equal.
pub(super) fn equal_coupling(lower: usize, upper: usize, over: CouplingsOver) -> f64 {
    let sharing = match over {
        CouplingsOver::Outputs => upper,
        CouplingsOver::Inputs => lower,
    };
    1.0 / sharing as f64
}

/// Upper capsules by couplings `[I, J]`, row by row, that are the same for every sample.
pub(super) fn route_fixed(votes: Votes, couplings: Vec<f64>, trace: &mut Trace) -> Upper {
    let u_hat = votes.u_hat;
    let [batch, upper, lower, dimensions] = u_hat.dims();
    let options = (&u_hat.device(), u_hat.dtype());
    let couplings = Tensor::<2>::from_data(TensorData::new(couplings, [lower, upper]), options)
        .transpose()
        .reshape([1, upper, 1, lower])
        .repeat_dim(0, batch);
    let v = squash(couplings.clone().matmul(u_hat)).reshape([batch, upper, dimensions]);
    let upper = Upper::by_length(v);
    trace.iteration(|| (couplings.squeeze_dim(2), upper.clone()));
    upper
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    /// One iteration, none, and uniform couplings are one thing.
    #[test]
    fn without_agreement_routing_is_the_squashed_mean_of_the_votes() {
        let u_hat = normal([2, 4, 6, 3], 1, &Device::flex());
        let mean = squash((u_hat.clone().sum_dim(2) / 4.0).squeeze_dim::<3>(2));
        for routing in [
            Routing::dynamic(0),
            Routing::dynamic(1),
            Routing::new(Uniform::default()),
        ] {
            let routed = routing.forward_with_couplings(u_hat.clone());
            let v = routed.upper.v.into_data();
            v.assert_approx_eq::<f32>(&mean.clone().into_data(), Default::default());
            assert_eq!(routed.iterations.len(), 1);
        }
    }
}
