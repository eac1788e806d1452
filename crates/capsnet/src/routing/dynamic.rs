//! Dynamic routing, by agreement between two layers of capsules.
//!
//! Each lower capsule `i` casts a vote `u_hat[j|i]` for every upper capsule `j`. Starting from equal couplings, every
//! iteration lets votes that agree with the current output count for more (Sabour, Frosst, Hinton 2017, procedure 1):
//!
//! ```text
//! b[i,j] = 0
//! repeat r times:
//!     c[i,:] = softmax over j of b[i,:]
//!     s[j]   = sum over i of c[i,j] u_hat[j|i]
//!     v[j]   = squash(s[j])
//!     b[i,j] = b[i,j] + <u_hat[j|i], v[j]>
//! ```
//!
//! Gradients flow through every iteration, as in the authors' own code. With `r = 1` the couplings are those that it
//! starts from, all equal, and the result is the squashed mean: nothing is routed. No iteration at all (`r = 0`) means
//! the same thing here, since an output needs some couplings, and there are none before the first.
//!
//! `dynamic-inputs` takes the softmax over `i`: a mistake of a dozen public implementations. It is here because weights
//! made with it still have to work.

use std::fmt;

use burn::prelude::*;
use burn::tensor::activation::softmax;

use super::{Algorithm, CouplingsOver, Number, Route, Routing, Trace, Upper, Votes};
use crate::layer::squash;
use crate::ops::route_votes;

pub(super) const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        name: "dynamic",
        about: "routing by agreement (Sabour, Frosst and Hinton 2017)",
        number: Number::Iterations,
        make: |iterations| Routing::new(Dynamic::new(iterations as usize, CouplingsOver::Outputs)),
    },
    Algorithm {
        name: "dynamic-inputs",
        about: "the same with the softmax over the wrong capsules, for weights made with it",
        number: Number::Iterations,
        make: |iterations| Routing::new(Dynamic::new(iterations as usize, CouplingsOver::Inputs)),
    },
];

/// Dynamic routing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dynamic {
    /// The number of iterations `r`. The paper uses 3; 0 and 1 both mean equal couplings.
    pub iterations: usize,
    /// Over which capsules the couplings sum to one.
    pub couplings_over: CouplingsOver,
}

impl Default for Dynamic {
    fn default() -> Self {
        Self::new(3, CouplingsOver::Outputs)
    }
}

impl Dynamic {
    /// So many iterations, with the softmax over these capsules.
    pub fn new(iterations: usize, couplings_over: CouplingsOver) -> Self {
        Self {
            iterations,
            couplings_over,
        }
    }

    /// How often couplings are computed: at least once.
    pub fn rounds(&self) -> usize {
        self.iterations.max(1)
    }
}

impl fmt::Display for Dynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dynamic{}:{}", suffix(self.couplings_over), self.iterations)
    }
}

/// What the name of an algorithm ends with.
pub(super) fn suffix(over: CouplingsOver) -> &'static str {
    match over {
        CouplingsOver::Outputs => "",
        CouplingsOver::Inputs => "-inputs",
    }
}

impl Route for Dynamic {
    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let u_hat = votes.u_hat;
        let [batch, upper, lower, dimensions] = u_hat.dims();
        let softmax_dimension = match self.couplings_over {
            CouplingsOver::Outputs => 1,
            CouplingsOver::Inputs => 3,
        };
        let capsules = |v: Tensor<4>| Upper::by_length(v.reshape([batch, upper, dimensions]));
        let mut logits = Tensor::<4>::zeros([batch, upper, 1, lower], (&u_hat.device(), u_hat.dtype()));
        let mut round = 1;
        loop {
            let couplings = softmax(logits.clone(), softmax_dimension);
            let v = squash(couplings.clone().matmul(u_hat.clone())); // [B, J, 1, D]
            trace.iteration(|| (couplings.squeeze_dim(2), capsules(v.clone())));
            if round == self.rounds() {
                return capsules(v);
            }
            logits = logits + v.matmul(u_hat.clone().swap_dims(2, 3));
            round += 1;
        }
    }

    fn iterations(&self) -> usize {
        self.iterations
    }

    fn couplings_over(&self) -> Option<CouplingsOver> {
        Some(self.couplings_over)
    }

    fn keeps_turns(&self) -> bool {
        true
    }

    fn fused(&self, u: &Tensor<3>, weight: &Tensor<3>, upper: usize) -> Option<Upper> {
        let (u, weight) = (u.clone(), weight.clone());
        route_votes(u, weight, upper, self.rounds(), self.couplings_over).map(Upper::by_length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::lengths;
    use crate::routing::Iteration;
    use crate::testing::normal;

    fn votes(shape: [usize; 4]) -> Tensor<4> {
        normal(shape, 1, &Device::flex())
    }

    #[test]
    fn couplings_sum_to_one_over_the_chosen_side() {
        for (over, dimension) in [(CouplingsOver::Outputs, 1), (CouplingsOver::Inputs, 2)] {
            let routing = Routing::new(Dynamic::new(4, over));
            let routed = routing.forward_with_couplings(votes([2, 3, 7, 5]));
            assert_eq!(routed.iterations.len(), 4);
            for Iteration { couplings, .. } in routed.iterations {
                assert_eq!(couplings.dims(), [2, 3, 7]);
                let sums: Vec<f32> = couplings.sum_dim(dimension).into_data().try_to_vec().unwrap();
                assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5), "{sums:?}");
            }
        }
    }

    /// Fewer iterations are the beginning of more.
    #[test]
    fn every_iteration_ends_with_the_capsules_of_so_many() {
        let u_hat = votes([2, 3, 7, 5]);
        let iterations = Routing::dynamic(4).forward_with_couplings(u_hat.clone()).iterations;
        for (number, iteration) in iterations.into_iter().enumerate() {
            let v = Routing::dynamic(number + 1).forward(u_hat.clone()).v;
            iteration.v.into_data().assert_eq(&v.clone().into_data(), true);
            iteration
                .activation
                .into_data()
                .assert_eq(&lengths(v).into_data(), true);
        }
    }

    #[test]
    fn the_votes_that_agree_gain_coupling() {
        // Three lower capsules vote alike for parent 0, one is opposed; all are indifferent about parent 1.
        let u_hat = Tensor::<4>::from_floats(
            [[[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], [[0.0, 0.0]; 4]]],
            &Device::flex(),
        );
        let routed = Routing::default().forward_with_couplings(u_hat);
        let last = routed.iterations[2].couplings.clone().into_data();
        let to_first_parent = &last.try_to_vec::<f32>().unwrap()[..4];
        assert!(
            to_first_parent[..3].iter().all(|&c| c > 0.5) && to_first_parent[3] < 0.5,
            "{to_first_parent:?}"
        );
    }
}
