//! Initial weights, drawn from one seed.
//!
//! Every tensor has a random stream of its own, named after it, so that adding a layer doesn't change the start of the others
//! and every backend starts from the same numbers. Convolutions and linear layers follow PyTorch's default, uniform in
//! ±1/sqrt(fan-in), but for the equivariant network, which follows He; vote matrices are normal; batch norm begins as the
//! identity.

use capsnet_data::random::Seed;
use capsnet_weights::{NamedTensor, StateDict, TensorValues};
use rand_distr::{Distribution, Normal, Uniform};

use super::ModelConfig;
use crate::weights::is_counter;

/// Values for tensors of the given names and shapes, in a file's layout.
pub fn initial_weights(config: &ModelConfig, shapes: &[(String, Vec<usize>)], seed: Seed) -> StateDict {
    let mut weights = StateDict::default();
    for (name, shape) in shapes {
        let values = if is_counter(name) {
            TensorValues::I64(vec![0])
        } else {
            TensorValues::F32(values(config, shapes, name, shape, seed))
        };
        let tensor = NamedTensor::new(shape.clone(), values).expect("as many values as the shape has");
        weights.insert(name.clone(), tensor).expect("names of a model differ");
    }
    weights
}

fn values(config: &ModelConfig, shapes: &[(String, Vec<usize>)], name: &str, shape: &[usize], seed: Seed) -> Vec<f32> {
    let count = shape.iter().product();
    let stream = seed.stream(&format!("initial {name}"), 0, 0);
    if let Some(std) = normal_std(config, name) {
        let normal = Normal::new(0.0, std as f32).expect("the configuration was validated");
        return normal.sample_iter(stream).take(count).collect();
    }
    if let Some(parameter) = name.strip_prefix("batch_norm_0.") {
        let constant = if matches!(parameter, "weight" | "running_var") {
            1.0
        } else {
            0.0
        };
        return vec![constant; count];
    }
    let gain: f32 = match config {
        // He's, which keeps the size of what passes a ReLU: there is nothing else to set it right before the squash.
        ModelConfig::EquivariantCapsNet(_) if name.ends_with(".bias") => return vec![0.0; count],
        ModelConfig::EquivariantCapsNet(_) => 6f32.sqrt(),
        _ => 1.0,
    };
    let bound = gain / (fan_in(shapes, name) as f32).sqrt();
    let uniform = Uniform::new_inclusive(-bound, bound).expect("the bound is finite");
    uniform.sample_iter(stream).take(count).collect()
}

/// The deviation of what is drawn from a normal distribution: vote matrices, directions; `None` for other tensors.
fn normal_std(config: &ModelConfig, name: &str) -> Option<f64> {
    match config {
        ModelConfig::CapsNet(config) if name.ends_with("route_weights") => Some(config.vote_std),
        ModelConfig::EquivariantCapsNet(config) if name.starts_with("class_capsules.") => Some(config.vote_std),
        ModelConfig::EquivariantCapsNet(_) if name == "upright" => Some(1.0),
        _ => None,
    }
}

/// The number of inputs to one output of the layer that the tensor `name` belongs to.
fn fan_in(shapes: &[(String, Vec<usize>)], name: &str) -> usize {
    let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
    let weight = format!("{layer}.weight");
    let (_, shape) = shapes
        .iter()
        .find(|(name, _)| *name == weight)
        .expect("a layer with a bias has a weight");
    shape[1..].iter().product()
}

#[cfg(test)]
mod tests {
    use super::super::{CapsNetConfig, ImageShape};
    use super::*;

    #[test]
    fn spread_follows_the_layer() {
        let config = ModelConfig::CapsNet(CapsNetConfig {
            image: ImageShape::MNIST,
            vote_std: 0.05,
            ..CapsNetConfig::tutorial()
        });
        let shapes = [
            ("batch_norm_0.weight".to_owned(), vec![1]),
            ("conv1.weight".to_owned(), vec![256, 1, 9, 9]),
            ("conv1.bias".to_owned(), vec![256]),
            ("digit_capsules.route_weights".to_owned(), vec![10, 100, 8, 16]),
        ];
        let weights = initial_weights(&config, &shapes, Seed(3));
        let get = |name: &str| weights.get(name).unwrap().as_f32().unwrap();
        assert_eq!(get("batch_norm_0.weight"), [1.0]);
        for name in ["conv1.weight", "conv1.bias"] {
            let largest = get(name).iter().fold(0f32, |m, x| m.max(x.abs()));
            assert!(largest <= 1.0 / 9.0 && largest > 0.1, "{name}: {largest}");
        }
        let votes = get("digit_capsules.route_weights");
        let variance = votes.iter().map(|x| x * x).sum::<f32>() / votes.len() as f32;
        assert!((variance.sqrt() - 0.05).abs() < 0.001, "{}", variance.sqrt());
    }

    #[test]
    fn a_tensor_starts_the_same_whatever_stands_beside_it() {
        let config = ModelConfig::CapsNet(CapsNetConfig::paper());
        let one = [("conv1.weight".to_owned(), vec![2, 1, 3, 3])];
        let two = [("decoder.0.weight".to_owned(), vec![2, 4]), one[0].clone()];
        let value = |shapes: &[_]| initial_weights(&config, shapes, Seed(3)).get("conv1.weight").cloned();
        assert_eq!(value(&one).unwrap().as_f32(), value(&two).unwrap().as_f32());
    }
}
