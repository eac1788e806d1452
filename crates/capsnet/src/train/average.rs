//! The exponential average of a network's weights over the steps of a training.
//!
//! ```text
//! w' = d w' + (1 - d) w,  d = min(decay, (1 + t) / (10 + t)) after step t
//! ```
//!
//! as TensorFlow's `ExponentialMovingAverage` counts with `num_updates`: the first steps, far from where training ends,
//! are soon forgotten. It begins as the weights after the first step. Trained parameters are averaged; running
//! statistics are those of the network.
//!
//! Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992), in the exponential
//! form.

use std::collections::BTreeMap;

use burn::module::{ModuleMapper, ModuleVisitor, Param};
use burn::prelude::*;

/// An exponential average of weights.
#[derive(Clone, Debug)]
pub struct Average {
    /// How much of it stays at a step, in the long run.
    pub decay: f64,
    /// Each parameter's average, flattened, by its path in the module.
    pub weights: BTreeMap<String, Tensor<1>>,
}

impl Average {
    /// One of nothing yet.
    pub fn new(decay: f64) -> Self {
        Self {
            decay,
            weights: BTreeMap::new(),
        }
    }

    /// Takes the weights after step number `step`, counted from 1, in.
    pub fn follow(&mut self, module: &impl Module, step: u64) {
        let step = step as f64;
        let decay = self.decay.min((1.0 + step) / (10.0 + step));
        module.visit(&mut Follow {
            decay,
            weights: &mut self.weights,
            path: Vec::new(),
        });
    }

    /// A module without gradients, its parameters replaced by their averages, as far as there are any.
    pub fn put_into<M: Module>(&self, module: M) -> M {
        module.map(&mut Put {
            weights: &self.weights,
            path: Vec::new(),
        })
    }
}

struct Follow<'a> {
    decay: f64,
    weights: &'a mut BTreeMap<String, Tensor<1>>,
    path: Vec<String>,
}

impl ModuleVisitor for Follow<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const N: usize>(&mut self, param: &Param<Tensor<N>>) {
        let value = param.val();
        if !value.is_require_grad() {
            return;
        }
        let value: Tensor<1> = value.inner().flatten(0, N - 1);
        let path = self.path.join(".");
        let average = match self.weights.remove(&path) {
            Some(average) => average * self.decay + value * (1.0 - self.decay),
            // Adam moves weights where they are: the first average is a copy.
            None => value * 1.0,
        };
        self.weights.insert(path, average);
    }
}

struct Put<'a> {
    weights: &'a BTreeMap<String, Tensor<1>>,
    path: Vec<String>,
}

impl ModuleMapper for Put<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const N: usize>(&mut self, param: Param<Tensor<N>>) -> Param<Tensor<N>> {
        let Some(average) = self.weights.get(&self.path.join(".")) else {
            return param;
        };
        let (id, value, mapper) = param.consume();
        Param::from_mapped_value(id, average.clone().reshape(value.shape()), mapper)
    }
}
