//! A fully connected layer of capsules: every lower capsule votes for every upper one through a matrix of its own.
//!
//! `u_hat[j|i] = u[i] W[i,j]`, then [`Routing`] (Sabour, Frosst, Hinton 2017, equation 2; their "DigitCaps").
//!
//! Lower capsules that stand beside each other can share their matrices, `W[i,j] = W[i/P,j]`: with `P` the positions of
//! a map of primary capsules there is one matrix a map, as in a convolution, and a capsule's vote doesn't depend on
//! where it is.

use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;

use super::lengths;
use crate::routing::{LayerSizes, Parameter, Routed, Routing, Upper, Votes};
use crate::weights::{Exchange, Layout, Named};

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
    /// Neighbouring lower capsules `P` that share their vote matrices; it divides `lower`.
    #[config(default = 1)]
    pub sharing: usize,
}

/// A fully connected layer of capsules; see the formula in this file's header.
#[derive(Module, Debug)]
pub struct ClassCapsules {
    /// The vote matrices `W`, `[I / P, E, J * D]`.
    pub weight: Param<Tensor<3>>,
    /// How votes become upper capsules.
    #[module(skip)]
    pub routing: Routing,
    /// What the routing algorithm trains, each flattened.
    pub parameters: Vec<Param<Tensor<1>>>,
    /// Number of upper capsules `J`.
    pub upper: usize,
    /// Neighbouring lower capsules `P` that share their vote matrices.
    pub sharing: usize,
}

impl ClassCapsulesConfig {
    /// Makes the layer, its weights drawn from a normal distribution.
    ///
    /// # Panics
    ///
    /// If the number of lower capsules is no multiple of those that share their matrices.
    pub fn init(&self, device: &Device) -> ClassCapsules {
        assert!(
            self.lower.is_multiple_of(self.sharing),
            "{} lower capsules can't share matrices by {}",
            self.lower,
            self.sharing
        );
        let columns = self.upper * self.upper_dimensions;
        let shape = [self.lower / self.sharing, self.lower_dimensions, columns];
        let initializer = Initializer::Normal {
            mean: 0.0,
            std: self.weight_std,
        };
        let parameters = self
            .routing
            .algorithm()
            .parameters(self.sizes())
            .into_iter()
            .map(|parameter| {
                let value = parameter.in_layers.start.into();
                Initializer::Constant { value }.init([parameter.len()], device)
            });
        ClassCapsules {
            weight: initializer.init(shape, device),
            routing: self.routing.clone(),
            parameters: parameters.collect(),
            upper: self.upper,
            sharing: self.sharing,
        }
    }
}

impl ClassCapsulesConfig {
    fn sizes(&self) -> LayerSizes {
        LayerSizes {
            lower: self.lower,
            upper: self.upper,
            dimensions: self.upper_dimensions,
            lower_dimensions: self.lower_dimensions,
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
        self.route(u).v
    }

    /// The upper capsules, and how active each is.
    ///
    /// # Shapes
    ///
    /// - `u`: `[B, I, E]`; lengths say how active these are
    /// - output: `[B, J, D]` and `[B, J]`
    pub fn route(&self, u: Tensor<3>) -> Upper {
        route(u, self.matrices(), self.upper, &self.routing, self.trained())
    }

    /// The upper capsules and every iteration of routing.
    pub fn forward_with_couplings(&self, u: Tensor<3>) -> Routed {
        self.routing.forward_with_couplings(self.cast(u))
    }

    /// The votes, with all that the routing needs beside them.
    fn cast(&self, u: Tensor<3>) -> Votes {
        cast(u, self.matrices(), self.upper, &self.routing).with_parameters(self.trained())
    }

    /// What the routing trains, in the algorithm's own units.
    fn trained(&self) -> Vec<Tensor<1>> {
        let of_routing = self.of_routing().into_iter().zip(&self.parameters);
        of_routing
            .map(|(parameter, value)| match parameter.in_layers.unit {
                1.0 => value.val(),
                unit => value.val() * unit,
            })
            .collect()
    }

    /// What the routing trains in a layer of these sizes.
    fn of_routing(&self) -> Vec<Parameter> {
        let [groups, lower_dimensions, columns] = self.weight.lazy_shape().dims();
        self.routing.algorithm().parameters(LayerSizes {
            lower: groups * self.sharing,
            upper: self.upper,
            dimensions: columns / self.upper,
            lower_dimensions,
        })
    }

    /// The votes `u_hat`, `[B, J, I, D]`.
    pub fn votes(&self, u: Tensor<3>) -> Tensor<4> {
        votes(u, self.matrices(), self.upper)
    }

    /// A vote matrix for every lower capsule, `[I, E, J * D]`: one batched product makes all votes.
    fn matrices(&self) -> Tensor<3> {
        let weight = self.weight.val();
        if self.sharing == 1 {
            return weight;
        }
        let [groups, dimensions, columns] = weight.dims();
        weight
            .reshape([groups, 1, dimensions, columns])
            .repeat_dim(1, self.sharing)
            .reshape([groups * self.sharing, dimensions, columns])
    }
}

/// The upper capsules of the lower ones, `[B, I, E]`, that vote by `weight`, `[I, E, J * D]`.
pub(super) fn route(
    u: Tensor<3>,
    weight: Tensor<3>,
    upper: usize,
    routing: &Routing,
    parameters: Vec<Tensor<1>>,
) -> Upper {
    match routing.algorithm().fused(&u, &weight, upper) {
        Some(upper) => upper,
        None => routing.forward(cast(u, weight, upper, routing).with_parameters(parameters)),
    }
}

/// The votes by `weight`, `[I, E, J * D]`, with all that `routing` needs beside them.
pub(super) fn cast(u: Tensor<3>, weight: Tensor<3>, upper: usize, routing: &Routing) -> Votes {
    let mut votes = Votes::from(votes(u.clone(), weight, upper));
    if routing.algorithm().uses_activations() {
        let counted = routing.algorithm().counted(lengths(u.clone()), upper);
        votes = votes.with_activations(counted);
    }
    match routing.algorithm().uses_lower() {
        true => votes.with_lower(u),
        false => votes,
    }
}

/// The votes `u_hat`, `[B, J, I, D]`, by `weight`, `[I, E, J * D]`.
fn votes(u: Tensor<3>, weight: Tensor<3>, upper: usize) -> Tensor<4> {
    let [batch, lower, _] = u.dims();
    let dimensions = weight.dims()[2] / upper;
    u.swap_dims(0, 1)
        .matmul(weight)
        .reshape([lower, batch, upper, dimensions])
        .permute([1, 2, 0, 3])
}

impl Named for ClassCapsules {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        self.exchange_as("route_weights", at, with);
    }
}

impl ClassCapsules {
    /// [`Named::exchange`] with vote matrices that are called `weight` in the file.
    pub(crate) fn exchange_as(&mut self, weight: &str, at: &str, with: &mut impl Exchange) {
        let layout = Layout::Votes { upper: self.upper };
        with.parameter(format!("{at}.{weight}"), layout, &mut self.weight);
        for (parameter, value) in self.of_routing().into_iter().zip(&mut self.parameters) {
            let layout = match parameter.shape[..] {
                [rows, _] => Layout::Rows(rows),
                _ => Layout::Plain,
            };
            with.parameter(format!("{at}.{}", parameter.name), layout, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::has_kernels;
    use crate::testing::{normal, settled};
    use burn::tensor::{TensorData, Tolerance};

    /// Output and gradients of u and weight under the loss `sum(v * c)`.
    fn run(layer: &ClassCapsules, u: &Tensor<3>, c: &Tensor<3>, fused: bool) -> Vec<TensorData> {
        let (u, weight) = (u.clone().require_grad(), layer.weight.val().detach().require_grad());
        let mut layer = layer.clone();
        layer.weight = Param::from_tensor(weight);
        let weight = layer.weight.val();
        let v = if fused {
            layer.forward(u.clone())
        } else {
            layer.routing.forward(layer.votes(u.clone())).v
        };
        let gradients = (v.clone() * c.clone()).sum().backward();
        vec![
            v.into_data(),
            u.grad(&gradients).unwrap().into_data(),
            weight.grad(&gradients).unwrap().into_data(),
        ]
    }

    #[test]
    fn kernel_and_plain_operations_agree_on_values_and_gradients() {
        let device = Device::flex().autodiff();
        let sides = ["", "-inputs"];
        for (iterations, [batch, lower, e, upper, d]) in
            [(3, [2, 1152, 8, 10, 16]), (0, [1, 5, 3, 2, 4]), (4, [7, 33, 5, 3, 6])]
        {
            let forms = [format!(":{iterations}"), String::new(), ":2".to_owned()];
            let names = ["dynamic", "uniform", "random"].into_iter().zip(&forms);
            for text in names.flat_map(|(name, number)| sides.map(|side| format!("{name}{side}{number}"))) {
                let config = ClassCapsulesConfig::new(lower, e, upper, d).with_routing(text.parse().unwrap());
                let layer = settled(config.init(&device), config.weight_std, 1);
                // Not contiguous, as the capsules of plain operations.
                let u = normal([batch, e, lower], 2, &device).swap_dims(1, 2);
                let c = normal([batch, upper, d], 3, &device);
                assert!(has_kernels(&u), "{text}");
                let fused = run(&layer, &u, &c, true);
                let plain = run(&layer, &u, &c, false);
                for (fused, plain) in fused.iter().zip(&plain) {
                    fused.assert_approx_eq::<f32>(plain, Tolerance::rel_abs(1e-3, 1e-5));
                }
            }
        }
    }

    /// The layer with every matrix written out, whose gradients add up to those of the shared ones.
    #[test]
    fn shared_matrices_are_one_for_each_group_of_neighbours() {
        let device = Device::flex().autodiff();
        let [groups, sharing, e, upper, d] = [3, 4, 2, 5, 6];
        let config = ClassCapsulesConfig::new(groups * sharing, e, upper, d).with_sharing(sharing);
        let mut shared = settled(config.init(&device), config.weight_std, 1);
        let matrices = shared.weight.val().detach().require_grad();
        shared.weight = Param::from_tensor(matrices.clone());
        let of_group: Vec<Tensor<3>> = (0..groups * sharing)
            .map(|i| matrices.clone().detach().narrow(0, i / sharing, 1))
            .collect();
        let written_out = Tensor::cat(of_group, 0).detach().require_grad();
        let mut separate = ClassCapsulesConfig::new(groups * sharing, e, upper, d).init(&device);
        separate.weight = Param::from_tensor(written_out.clone());
        let u = normal([2, groups * sharing, e], 2, &device);
        let c = normal([2, upper, d], 3, &device);

        let (v, expected) = (shared.forward(u.clone()), separate.forward(u));
        v.clone().into_data().assert_eq(&expected.clone().into_data(), true);
        let found = matrices.grad(&(v * c.clone()).sum().backward()).unwrap();
        let each = written_out.grad(&(expected * c).sum().backward()).unwrap();
        let summed = each
            .reshape([groups, sharing, e, upper * d])
            .sum_dim(1)
            .squeeze_dim::<3>(1);
        found
            .into_data()
            .assert_approx_eq::<f32>(&summed.into_data(), Tolerance::rel_abs(1e-4, 1e-6));
    }

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
