//! Adam (Kingma and Ba 2015, algorithm 1), as PyTorch computes it:
//!
//! ```text
//! m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//! p = p - lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps)
//! ```
//!
//! The moments are kept under the parameters' paths, so that a checkpoint can name them; Burn's own optimiser keeps
//! them in a record of its own that could not be written into one file together with the weights.

use std::collections::BTreeMap;

use burn::module::{ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::Average;
use crate::ops::{AdamStep, adam_update};

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
    /// The average of the weights that it moves, where one is kept.
    pub average: Option<Average>,
}

impl Adam {
    /// Adam before its first step.
    pub fn new(config: AdamConfig) -> Self {
        Self {
            config,
            steps: 0,
            moments: BTreeMap::new(),
            average: None,
        }
    }

    /// The same, keeping an average of the weights by this decay, if there is one: that of before, or a new one.
    #[must_use]
    pub fn averaging(mut self, decay: Option<f64>) -> Self {
        let before = self.average.take().map(|average| average.weights);
        self.average = decay.map(|decay| Average {
            weights: before.unwrap_or_default(),
            ..Average::new(decay)
        });
        self
    }

    /// The parameter whose moments aren't finite, if there is one; it doesn't move any more.
    pub fn non_finite(&self) -> Option<&str> {
        let finite = |moment: &Tensor<1>| {
            let values = moment.clone().into_data().try_into_vec_as::<f32>();
            values
                .expect("any float converts to f32")
                .iter()
                .all(|value| value.is_finite())
        };
        let mut bad = self.moments.iter();
        let bad = bad.find(|(_, moments)| !finite(&moments.second) || !finite(&moments.first));
        bad.map(|(name, _)| name.as_str())
    }

    /// Moves the parameters of `module` against their gradients. Parameters without a gradient stay as they are.
    ///
    /// On the CPU this happens in place if `module` is the only owner of its weights.
    pub fn step<M: Module>(&mut self, learning_rate: f64, module: M, gradients: GradientsParams) -> M {
        self.steps += 1;
        let AdamConfig {
            beta_1,
            beta_2,
            epsilon,
        } = self.config;
        let mut update = Update {
            step: AdamStep::new(beta_1, beta_2, epsilon, learning_rate, self.steps),
            moments: &mut self.moments,
            gradients,
            path: String::new(),
        };
        let module = module.map(&mut update);
        if let Some(average) = &mut self.average {
            average.follow(&module, self.steps);
        }
        module
    }
}

/// One step, on its way through the module.
struct Update<'a> {
    step: AdamStep,
    moments: &'a mut BTreeMap<String, Moments>,
    gradients: GradientsParams,
    /// The path of the place in the module, names between points.
    path: String,
}

impl Update<'_> {
    fn apply<const N: usize>(&mut self, value: Tensor<N>, gradient: Tensor<N>) -> Tensor<N> {
        // Taken out of their place, moments have one owner and can be updated where they are.
        let (path, moments) = self.moments.remove_entry(&self.path).unwrap_or_else(|| {
            let zeros = gradient.zeros_like().flatten(0, N - 1);
            let moments = Moments {
                first: zeros.clone(),
                second: zeros,
            };
            (self.path.clone(), moments)
        });
        let updated = adam_update(value, gradient, moments.first, moments.second, self.step);
        let moments = Moments {
            first: updated.first,
            second: updated.second,
        };
        self.moments.insert(path, moments);
        updated.parameter
    }
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }

    fn exit_module(&mut self, name: &str, _container_type: &str) {
        self.path.truncate(self.path.len() - name.len());
        // The point before it, unless it was the first name.
        self.path.pop();
    }

    fn map_float<const N: usize>(&mut self, param: Param<Tensor<N>>) -> Param<Tensor<N>> {
        let Some(gradient) = self.gradients.remove::<N>(param.id) else {
            return param;
        };
        let (id, value, mapper) = param.consume();
        let value = Tensor::from_inner(self.apply(value.inner(), gradient)).require_grad();
        Param::from_mapped_value(id, value, mapper)
    }
}
