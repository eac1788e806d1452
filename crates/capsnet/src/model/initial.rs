//! Initial weights, drawn from one seed.
//!
//! Every tensor has a random stream of its own, named after it, so that adding a layer doesn't change the start of the
//! others and every backend starts from the same numbers.

use std::sync::{Mutex, PoisonError};

use burn::prelude::*;
use capsnet_data::random::Seed;
use capsnet_weights::{NamedTensor, StateDict, TensorValues};
use rand_distr::{Distribution, Normal, Uniform};

use super::Architecture;
use crate::weights::{Named, is_counter};

/// How the values of a tensor begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// As the module's own initialiser draws them, from the device's generator, which is seeded before.
    AsMade,
    /// Uniform in plus or minus so much over the square root of the layer's number of inputs: 1 is PyTorch's default
    /// for convolutions and linear layers, the root of 6 is He's, which keeps the size of what passes a ReLU.
    Uniform(f32),
    /// Normal with this deviation around 0.
    Normal(f64),
    /// All the same.
    Constant(f32),
}

impl Initial {
    /// PyTorch's default for convolutions and linear layers.
    pub const PYTORCH: Self = Self::Uniform(1.0);

    /// The tensor `name` of a batch norm that begins as the identity.
    pub fn of_batch_norm(name: &str) -> Self {
        let one = name.ends_with(".weight") || name.ends_with(".running_var");
        Self::Constant(if one { 1.0 } else { 0.0 })
    }
}

/// A device's generator is one for all threads: two networks that are made at once would share what it gives.
static DRAWING: Mutex<()> = Mutex::new(());

/// Makes a network whose weights are drawn from `seed`.
pub(super) fn begin<A: Architecture>(config: &A, seed: Seed, device: &Device) -> A::Network {
    let mut network = config.init(device);
    let shapes = network.shapes();
    let as_made = |(name, _): &(String, Vec<usize>)| !is_counter(name) && config.initial(name) == Initial::AsMade;
    let mut made = StateDict::default();
    if shapes.iter().any(as_made) {
        let _alone = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
        device.seed(seed.0);
        network = config.init(device);
        // Parameters are drawn when they are first looked at.
        made = network.export();
    }
    let mut weights = StateDict::default();
    for (name, shape) in &shapes {
        let tensor = made.remove(name).filter(|_| config.initial(name) == Initial::AsMade);
        let tensor = tensor.unwrap_or_else(|| {
            let values = if is_counter(name) {
                TensorValues::I64(vec![0])
            } else {
                TensorValues::F32(values(config.initial(name), &shapes, name, shape, seed))
            };
            NamedTensor::new(shape.clone(), values).expect("as many values as the shape has")
        });
        weights.insert(name.clone(), tensor).expect("names of a model differ");
    }
    network.import(&weights, device);
    network
}

fn values(initial: Initial, shapes: &[(String, Vec<usize>)], name: &str, shape: &[usize], seed: Seed) -> Vec<f32> {
    let count = shape.iter().product();
    let stream = seed.stream(&format!("initial {name}"), 0, 0);
    match initial {
        Initial::AsMade => unreachable!("it was made"),
        Initial::Constant(value) => vec![value; count],
        Initial::Normal(std) => {
            let normal = Normal::new(0.0, std as f32).expect("the configuration was validated");
            normal.sample_iter(stream).take(count).collect()
        }
        Initial::Uniform(gain) => {
            let bound = gain / (fan_in(shapes, name, shape) as f32).sqrt();
            let uniform = Uniform::new_inclusive(-bound, bound).expect("the bound is finite");
            uniform.sample_iter(stream).take(count).collect()
        }
    }
}

/// The number of inputs to one output of the layer that the tensor `name` belongs to: all dimensions of its weight but
/// the first.
fn fan_in(shapes: &[(String, Vec<usize>)], name: &str, shape: &[usize]) -> usize {
    let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
    let weight = format!("{layer}.weight");
    let of_weight = shapes.iter().find(|(name, _)| *name == weight);
    of_weight.map_or(shape, |(_, shape)| shape)[1..].iter().product()
}

#[cfg(test)]
mod tests {
    use super::super::CapsNetConfig;
    use super::*;

    fn start(config: &CapsNetConfig, shapes: &[(String, Vec<usize>)], name: &str) -> Vec<f32> {
        let (_, shape) = shapes.iter().find(|(of, _)| of == name).unwrap();
        values(config.initial(name), shapes, name, shape, Seed(3))
    }

    #[test]
    fn spread_follows_the_layer() {
        let config = CapsNetConfig {
            vote_std: 0.05,
            ..CapsNetConfig::tutorial()
        };
        let shapes = [
            ("batch_norm_0.weight".to_owned(), vec![1]),
            ("conv1.weight".to_owned(), vec![256, 1, 9, 9]),
            ("conv1.bias".to_owned(), vec![256]),
            ("digit_capsules.route_weights".to_owned(), vec![10, 100, 8, 16]),
        ];
        assert_eq!(start(&config, &shapes, "batch_norm_0.weight"), [1.0]);
        for name in ["conv1.weight", "conv1.bias"] {
            let values = start(&config, &shapes, name);
            let largest = values.iter().fold(0f32, |m, x| m.max(x.abs()));
            assert!(largest <= 1.0 / 9.0 && largest > 0.1, "{name}: {largest}");
        }
        let votes = start(&config, &shapes, "digit_capsules.route_weights");
        let variance = votes.iter().map(|x| x * x).sum::<f32>() / votes.len() as f32;
        assert!((variance.sqrt() - 0.05).abs() < 0.001, "{}", variance.sqrt());
    }

    #[test]
    fn a_tensor_starts_the_same_whatever_stands_beside_it() {
        let config = CapsNetConfig::paper();
        let one = [("conv1.weight".to_owned(), vec![2, 1, 3, 3])];
        let two = [("decoder.0.weight".to_owned(), vec![2, 4]), one[0].clone()];
        assert_eq!(
            start(&config, &one, "conv1.weight"),
            start(&config, &two, "conv1.weight")
        );
    }
}
