//! Adam (Kingma and Ba 2015, algorithm 1), as PyTorch computes it:
//!
//! ```text
//! m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//! p = p - lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps)
//! ```
//!
//! The moments are kept under the parameters' paths, so that a checkpoint can name them; Burn's own optimiser keeps them in a
//! record of its own that could not be written into one file together with the weights.

use std::collections::BTreeMap;

use burn::module::{ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

/// Adam's constants, PyTorch's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamConfig {
    /// Decay `b1` of the first moment.
    pub beta_1: f64,
    /// Decay `b2` of the second moment.
    pub beta_2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
        }
    }
}

/// The moments of one parameter, flattened.
#[derive(Clone, Debug)]
pub struct Moments {
    /// The running mean `m` of gradients.
    pub first: Tensor<1>,
    /// The running mean `v` of squared gradients.
    pub second: Tensor<1>,
}

/// Adam and its state.
#[derive(Clone, Debug)]
pub struct Adam {
    config: AdamConfig,
    /// The number of steps made, `t`.
    pub steps: u64,
    /// The moments of each parameter, by its path in the module.
    pub moments: BTreeMap<String, Moments>,
}

impl Adam {
    /// Adam before its first step.
    pub fn new(config: AdamConfig) -> Self {
        Self {
            config,
            steps: 0,
            moments: BTreeMap::new(),
        }
    }

    /// Moves the parameters of `module` against their gradients. Parameters without a gradient stay as they are.
    pub fn step<M: Module>(&mut self, learning_rate: f64, module: M, gradients: GradientsParams) -> M {
        self.steps += 1;
        let t = self.steps as f64;
        let mut update = Update {
            config: self.config,
            step_size: learning_rate / (1.0 - self.config.beta_1.powf(t)),
            second_correction: (1.0 - self.config.beta_2.powf(t)).sqrt(),
            moments: &mut self.moments,
            gradients,
            path: Vec::new(),
        };
        module.map(&mut update)
    }
}

/// One step, on its way through the module.
struct Update<'a> {
    config: AdamConfig,
    step_size: f64,
    second_correction: f64,
    moments: &'a mut BTreeMap<String, Moments>,
    gradients: GradientsParams,
    path: Vec<String>,
}

impl Update<'_> {
    fn apply(&mut self, value: Tensor<1>, gradient: Tensor<1>) -> Tensor<1> {
        let AdamConfig {
            beta_1,
            beta_2,
            epsilon,
        } = self.config;
        let path = self.path.join(".");
        let (first, second) = match self.moments.remove(&path) {
            Some(moments) => (moments.first, moments.second),
            None => (gradient.zeros_like(), gradient.zeros_like()),
        };
        let first = first * beta_1 + gradient.clone() * (1.0 - beta_1);
        let second = second * beta_2 + gradient.square() * (1.0 - beta_2);
        let spread = second.clone().sqrt() / self.second_correction + epsilon;
        let value = value - first.clone() / spread * self.step_size;
        self.moments.insert(path, Moments { first, second });
        value
    }
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const N: usize>(&mut self, param: Param<Tensor<N>>) -> Param<Tensor<N>> {
        let Some(gradient) = self.gradients.remove::<N>(param.id) else {
            return param;
        };
        let (id, value, mapper) = param.consume();
        let shape = value.dims();
        let size = shape.iter().product::<usize>();
        let value = self.apply(value.inner().reshape([size]), gradient.reshape([size]));
        let value = Tensor::from_inner(value.reshape(shape)).require_grad();
        Param::from_mapped_value(id, value, mapper)
    }
}
