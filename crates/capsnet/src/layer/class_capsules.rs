//! A fully connected layer of capsules: every lower capsule votes for every upper one through a matrix of its own.
//!
//! `u_hat[j|i] = u[i] W[i,j]`, then [`Routing`] (Sabour, Frosst, Hinton 2017, equation 2; their "DigitCaps").

use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;

use super::{Routed, Routing};
use crate::ops::{has_kernels, route_votes};

/// Makes [`ClassCapsules`].
#[derive(Config, Debug)]
pub struct ClassCapsulesConfig {
    /// Number of lower capsules `I`.
    pub lower: usize,
    /// Dimensions of a lower capsule `E`.
    pub lower_dimensions: usize,
    /// Number of upper capsules `J`: the classes, in the last layer.
    pub upper: usize,
    /// Dimensions of an upper capsule `D`.
    pub upper_dimensions: usize,
    /// Standard deviation of the initial weights. With 1 and a softmax over the outputs, the squash of a thousand votes
    /// saturates and nothing is learned.
    #[config(default = 0.05)]
    pub weight_std: f64,
    /// How votes become upper capsules.
    #[config(default = "Routing::default()")]
    pub routing: Routing,
}

/// A fully connected layer of capsules; see the formula in this file's header.
#[derive(Module, Debug)]
pub struct ClassCapsules {
    /// The vote matrices `W`, `[I, E, J * D]`: one batched product makes all votes.
    pub weight: Param<Tensor<3>>,
    /// How votes become upper capsules.
    #[module(skip)]
    pub routing: Routing,
    /// Number of upper capsules `J`.
    pub upper: usize,
}

impl ClassCapsulesConfig {
    /// Makes the layer, its weights drawn from a normal distribution.
    ///
    /// # Panics
    ///
    /// If the routing has no iteration.
    pub fn init(&self, device: &Device) -> ClassCapsules {
        assert!(self.routing.iterations > 0, "routing needs at least one iteration");
        let shape = [self.lower, self.lower_dimensions, self.upper * self.upper_dimensions];
        let initializer = Initializer::Normal {
            mean: 0.0,
            std: self.weight_std,
        };
        ClassCapsules {
            weight: initializer.init(shape, device),
            routing: self.routing,
            upper: self.upper,
        }
    }
}

impl ClassCapsules {
    /// The upper capsules.
    ///
    /// # Shapes
    ///
    /// - `u`: `[B, I, E]`
    /// - output: `[B, J, D]`
    pub fn forward(&self, u: Tensor<3>) -> Tensor<3> {
        route(u, self.weight.val(), self.upper, self.routing)
    }

    /// The upper capsules and the couplings of every iteration.
    pub fn forward_with_couplings(&self, u: Tensor<3>) -> Routed {
        self.routing.forward_with_couplings(self.votes(u))
    }

    /// The votes `u_hat`, `[B, J, I, D]`.
    pub fn votes(&self, u: Tensor<3>) -> Tensor<4> {
        votes(u, self.weight.val(), self.upper)
    }
}

/// The upper capsules, `[B, J, D]`, of the lower ones, `[B, I, E]`, that vote by `weight`, `[I, E, J * D]`.
pub(super) fn route(u: Tensor<3>, weight: Tensor<3>, upper: usize, routing: Routing) -> Tensor<3> {
    if has_kernels(&u) {
        route_votes(u, weight, upper, routing)
    } else {
        routing.forward(votes(u, weight, upper))
    }
}

/// The votes `u_hat`, `[B, J, I, D]`, by `weight`, `[I, E, J * D]`.
pub(super) fn votes(u: Tensor<3>, weight: Tensor<3>, upper: usize) -> Tensor<4> {
    let [batch, lower, _] = u.dims();
    let dimensions = weight.dims()[2] / upper;
    u.swap_dims(0, 1)
        .matmul(weight)
        .reshape([lower, batch, upper, dimensions])
        .permute([1, 2, 0, 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_is_the_capsule_times_its_own_matrix() {
        let device = Device::flex();
        let layer = ClassCapsulesConfig::new(3, 2, 2, 4).init(&device);
        let u = Tensor::<3>::from_floats([[[1.0, 0.0], [0.0, 2.0], [3.0, -1.0]]], &device);
        let votes: Vec<f32> = layer.votes(u.clone()).into_data().try_to_vec().unwrap();
        let weight: Vec<f32> = layer.weight.val().into_data().try_to_vec().unwrap();
        let u: Vec<f32> = u.into_data().try_to_vec().unwrap();
        for j in 0..2 {
            for i in 0..3 {
                for d in 0..4 {
                    let expected: f32 = (0..2).map(|e| u[i * 2 + e] * weight[(i * 2 + e) * 8 + j * 4 + d]).sum();
                    assert!((votes[(j * 3 + i) * 4 + d] - expected).abs() < 1e-6);
                }
            }
        }
    }
}
