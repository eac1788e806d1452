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
//! Gradients flow through every iteration, as in the authors' own code. With `r = 1` the couplings are those that it starts
//! from, all equal, and the result is the squashed mean: nothing is routed. No iteration at all (`r = 0`) means the same thing
//! here, since an output needs some couplings, and there are none before the first. [`Couplings`] replaces agreement by
//! couplings that don't depend on the votes; these have nothing to iterate.

use burn::prelude::*;
use burn::tensor::activation::softmax;
use serde::{Deserialize, Serialize};

use super::{Couplings, squash};

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
    /// The number of iterations `r`. The paper uses 3; 0 and 1 both mean equal couplings.
    pub iterations: usize,
    /// Over which capsules the couplings sum to one.
    pub softmax_over: SoftmaxOver,
    /// Where couplings come from.
    #[serde(default, skip_serializing_if = "Couplings::is_agreement")]
    pub couplings: Couplings,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            iterations: 3,
            softmax_over: SoftmaxOver::Outputs,
            couplings: Couplings::Agreement,
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
    /// How often couplings are computed: at least once, and once only if votes have no say in them.
    pub fn rounds(&self) -> usize {
        match self.couplings {
            Couplings::Agreement => self.iterations.max(1),
            Couplings::Uniform | Couplings::Random(_) => 1,
        }
    }

    /// Routes votes to the upper capsules.
    ///
    /// # Shapes
    ///
    /// - `u_hat`: `[B, J, I, D]`, the votes of the `I` lower capsules for each upper one
    /// - output: `[B, J, D]`
    pub fn forward(&self, u_hat: Tensor<4>) -> Tensor<3> {
        self.route(u_hat, |_| {})
    }

    /// The same as [`forward`](Self::forward), and keeps the couplings of every round, detached from the graph.
    pub fn forward_with_couplings(&self, u_hat: Tensor<4>) -> Routed {
        let mut couplings = Vec::with_capacity(self.rounds());
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
        for _ in 1..self.rounds() {
            let couplings = softmax(logits.clone(), softmax_dimension);
            observe(couplings.clone());
            let v = squash(couplings.matmul(u_hat.clone())); // [B, J, 1, D]
            logits = logits + v.matmul(u_hat.clone().swap_dims(2, 3));
        }
        let couplings = match self.couplings.fixed(lower, upper, self.softmax_over) {
            Some(fixed) => Tensor::<2>::from_data(TensorData::new(fixed, [lower, upper]), options)
                .transpose()
                .reshape([1, upper, 1, lower])
                .repeat_dim(0, batch),
            None => softmax(logits, softmax_dimension),
        };
        observe(couplings.clone());
        squash(couplings.matmul(u_hat)).reshape([batch, upper, dimensions])
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
                ..Routing::default()
            };
            let routed = routing.forward_with_couplings(votes([2, 3, 7, 5]));
            assert_eq!(routed.couplings.len(), 4);
            for c in routed.couplings {
                assert_eq!(c.dims(), [2, 7, 3]);
                assert!(sums_to_one(c, dimension));
            }
        }
    }

    /// One iteration, none, and uniform couplings at any number of iterations are one thing.
    #[test]
    fn without_agreement_routing_is_the_squashed_mean_of_the_votes() {
        let u_hat = votes([2, 4, 6, 3]);
        let mean = squash((u_hat.clone().sum_dim(2) / 4.0).squeeze_dim::<3>(2));
        for (iterations, couplings) in [
            (0, Couplings::Agreement),
            (1, Couplings::Agreement),
            (0, Couplings::Uniform),
            (3, Couplings::Uniform),
        ] {
            let routing = Routing {
                iterations,
                couplings,
                ..Default::default()
            };
            let routed = routing.forward_with_couplings(u_hat.clone());
            routed
                .v
                .into_data()
                .assert_approx_eq::<f32>(&mean.clone().into_data(), Default::default());
            assert_eq!(routed.couplings.len(), 1);
        }
    }

    /// Each sum by its definition, in f64.
    #[test]
    fn random_couplings_weigh_the_votes_of_every_sample_alike() {
        let [batch, upper, lower, dimensions] = [2, 3, 5, 4];
        let u_hat = votes([batch, upper, lower, dimensions]);
        let values: Vec<f32> = u_hat.clone().into_data().try_to_vec().unwrap();
        for softmax_over in [SoftmaxOver::Outputs, SoftmaxOver::Inputs] {
            let routing = Routing {
                softmax_over,
                couplings: Couplings::Random(5),
                ..Default::default()
            };
            let c = routing.couplings.fixed(lower, upper, softmax_over).unwrap();
            let v: Vec<f32> = routing.forward(u_hat.clone()).into_data().try_to_vec().unwrap();
            for b in 0..batch {
                for j in 0..upper {
                    let s: Vec<f64> = (0..dimensions)
                        .map(|d| {
                            let vote = |i| f64::from(values[((b * upper + j) * lower + i) * dimensions + d]);
                            (0..lower).map(|i| f64::from(c[i * upper + j]) * vote(i)).sum()
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
            let seen = routing.forward_with_couplings(u_hat.clone()).couplings;
            assert_eq!(seen.len(), 1);
            let of_a_sample: Vec<f32> = seen[0].clone().narrow(0, 1, 1).into_data().try_to_vec().unwrap();
            assert_eq!(of_a_sample, c);
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
        let last: Vec<f32> = routed.couplings[2].clone().into_data().try_to_vec().unwrap();
        let to_first_parent = [last[0], last[2], last[4], last[6]];
        assert!(
            to_first_parent[..3].iter().all(|&c| c > 0.5) && to_first_parent[3] < 0.5,
            "{to_first_parent:?}"
        );
    }
}
