//! Routing by agreement between two layers of capsules.
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
//! Gradients flow through every iteration, as in the authors' own code. With `r = 1` the result is the squashed mean.

use burn::prelude::*;
use burn::tensor::activation::softmax;
use serde::{Deserialize, Serialize};

use super::squash;

/// Over which capsules the couplings sum to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SoftmaxOver {
    /// Over the upper capsules: each lower capsule divides its vote among its possible parents (the paper).
    #[default]
    Outputs,
    /// Over the lower capsules: a mistake of a dozen public implementations. It is here because weights made with it still
    /// have to work.
    Inputs,
}

/// How votes become upper capsules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The number of iterations `r`, at least 1. The paper uses 3.
    pub iterations: usize,
    /// Over which capsules the couplings sum to one.
    pub softmax_over: SoftmaxOver,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            iterations: 3,
            softmax_over: SoftmaxOver::Outputs,
        }
    }
}

/// What routing came to.
pub struct Routed {
    /// The upper capsules, `[B, J, D]`.
    pub v: Tensor<3>,
    /// The couplings `c` that each iteration used, `[B, I, J]` each, oldest first.
    pub couplings: Vec<Tensor<3>>,
}

impl Routing {
    /// Routes votes to the upper capsules.
    ///
    /// # Shapes
    ///
    /// - `u_hat`: `[B, J, I, D]`, the votes of the `I` lower capsules for each upper one
    /// - output: `[B, J, D]`
    pub fn forward(&self, u_hat: Tensor<4>) -> Tensor<3> {
        self.route(u_hat, |_| {})
    }

    /// The same as [`forward`](Self::forward), and keeps the couplings of every iteration, detached from the graph.
    pub fn forward_with_couplings(&self, u_hat: Tensor<4>) -> Routed {
        let mut couplings = Vec::with_capacity(self.iterations);
        let v = self.route(u_hat, |c| {
            couplings.push(c.detach().squeeze_dim::<3>(2).swap_dims(1, 2));
        });
        Routed { v, couplings }
    }

    /// `observe` sees the couplings of each iteration, `[B, J, 1, I]`.
    fn route(&self, u_hat: Tensor<4>, mut observe: impl FnMut(Tensor<4>)) -> Tensor<3> {
        let [batch, upper, lower, dimensions] = u_hat.dims();
        let softmax_dimension = match self.softmax_over {
            SoftmaxOver::Outputs => 1,
            SoftmaxOver::Inputs => 3,
        };
        let options = (&u_hat.device(), u_hat.dtype());
        let mut logits = Tensor::<4>::zeros([batch, upper, 1, lower], options);
        for remaining in (0..self.iterations).rev() {
            let couplings = softmax(logits.clone(), softmax_dimension);
            observe(couplings.clone());
            let v = squash(couplings.matmul(u_hat.clone())); // [B, J, 1, D]
            if remaining == 0 {
                return v.reshape([batch, upper, dimensions]);
            }
            logits = logits + v.matmul(u_hat.clone().swap_dims(2, 3));
        }
        unreachable!("configurations with no routing iteration are refused before a layer is made")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;

    fn votes(shape: [usize; 4]) -> Tensor<4> {
        Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
    }

    fn sums_to_one(c: Tensor<3>, dimension: usize) -> bool {
        c.sum_dim(dimension)
            .into_data()
            .try_to_vec::<f32>()
            .unwrap()
            .iter()
            .all(|s| (s - 1.0).abs() < 1e-5)
    }

    #[test]
    fn couplings_sum_to_one_over_the_chosen_side() {
        for (softmax_over, dimension) in [(SoftmaxOver::Outputs, 2), (SoftmaxOver::Inputs, 1)] {
            let routing = Routing {
                iterations: 4,
                softmax_over,
            };
            let routed = routing.forward_with_couplings(votes([2, 3, 7, 5]));
            assert_eq!(routed.couplings.len(), 4);
            for c in routed.couplings {
                assert_eq!(c.dims(), [2, 7, 3]);
                assert!(sums_to_one(c, dimension));
            }
        }
    }

    #[test]
    fn one_iteration_is_the_squashed_mean_of_the_votes() {
        let u_hat = votes([2, 4, 6, 3]);
        let routing = Routing {
            iterations: 1,
            ..Default::default()
        };
        let v = routing.forward(u_hat.clone());
        let mean = squash((u_hat.sum_dim(2) / 4.0).squeeze_dim::<3>(2));
        v.into_data()
            .assert_approx_eq::<f32>(&mean.into_data(), Default::default());
    }

    #[test]
    fn the_votes_that_agree_gain_coupling() {
        // Three lower capsules vote alike for parent 0, one is opposed; all are indifferent about parent 1.
        let u_hat = Tensor::<4>::from_floats(
            [[[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], [[0.0, 0.0]; 4]]],
            &Device::flex(),
        );
        let routed = Routing::default().forward_with_couplings(u_hat);
        let last: Vec<f32> = routed.couplings[2].clone().into_data().try_to_vec().unwrap();
        let to_first_parent = [last[0], last[2], last[4], last[6]];
        assert!(
            to_first_parent[..3].iter().all(|&c| c > 0.5) && to_first_parent[3] < 0.5,
            "{to_first_parent:?}"
        );
    }
}
