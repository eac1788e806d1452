//! The small CapsNets of the fixtures, and what is done to the parameters of a whole network.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::DType;
use capsnet::model::{AnyNetwork, CapsNetConfig, ImageShape, Model, ModelConfig};
use capsnet::routing::dynamic::Dynamic;
use capsnet::routing::{CouplingsOver, Routing};
use capsnet::weights::Named;
use capsnet_weights::{NamedTensor, StateDict, TensorValues};
use serde::Deserialize;

use super::Array;

/// A tensor of a fixture with the name that it has in PyTorch.
#[derive(Deserialize)]
pub(crate) struct NamedArray {
    pub name: String,
    #[serde(flatten)]
    pub array: Array,
}

#[derive(Deserialize)]
pub(crate) struct SmallCapsNets {
    pub networks: Vec<SmallCapsNet>,
}

/// A CapsNet with what PyTorch computed with it.
#[derive(Deserialize)]
pub(crate) struct SmallCapsNet {
    pub name: String,
    config: PythonConfig,
    pub state: Vec<NamedArray>,
    pub images: Array,
    pub labels: Vec<i64>,
    pub training: Training,
    pub evaluation: Evaluation,
}

#[derive(Deserialize)]
pub(crate) struct Training {
    pub loss: f64,
    pub gradients: Vec<NamedArray>,
    #[serde(flatten)]
    pub outputs: Outputs,
}

#[derive(Deserialize)]
pub(crate) struct Evaluation {
    pub running_statistics: Vec<NamedArray>,
    #[serde(flatten)]
    pub outputs: Outputs,
}

#[derive(Deserialize)]
pub(crate) struct Outputs {
    pub v: Array,
    pub lengths: Array,
    pub scores: Array,
    pub reconstruction: Array,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PythonConfig {
    image_size: usize,
    channels: usize,
    conv_channels: usize,
    conv_kernel: usize,
    primary_maps: usize,
    primary_dims: usize,
    primary_kernel: usize,
    primary_stride: usize,
    classes: usize,
    class_dims: usize,
    iterations: usize,
    decoder_widths: [usize; 2],
    routing_axis: String,
    softmax_lengths: bool,
    input_batch_norm: bool,
}

impl SmallCapsNet {
    pub(crate) fn config(&self) -> ModelConfig {
        let python = &self.config;
        assert_eq!(
            python.conv_kernel, python.primary_kernel,
            "both convolutions share a size"
        );
        let over = match python.routing_axis.as_str() {
            "out" => CouplingsOver::Outputs,
            "in" => CouplingsOver::Inputs,
            other => panic!("no routing axis: {other}"),
        };
        ModelConfig::CapsNet(CapsNetConfig {
            image: ImageShape {
                channels: python.channels,
                height: python.image_size,
                width: python.image_size,
            },
            classes: python.classes,
            input_batch_norm: python.input_batch_norm,
            conv_channels: python.conv_channels,
            kernel: python.conv_kernel,
            primary_stride: python.primary_stride,
            primary_maps: python.primary_maps,
            primary_dimensions: python.primary_dims,
            class_dimensions: python.class_dims,
            routing: Routing::new(Dynamic::new(python.iterations, over)),
            softmaxed_lengths: python.softmax_lengths,
            decoder: Some(python.decoder_widths),
            ..CapsNetConfig::paper()
        })
    }

    /// The network as it was before the training pass.
    pub(crate) fn model(&self, device: &Device) -> Model {
        self.model_with(&[], device)
    }

    /// The network with some of its tensors replaced.
    pub(crate) fn model_with(&self, replaced: &[NamedArray], device: &Device) -> Model {
        let weights = weights(self.state.iter().chain(replaced));
        Model::from_weights(self.config(), &weights, device).expect("the fixture fits its configuration")
    }
}

/// The tensors of a fixture as weights in f32; of two by one name the later counts.
pub(crate) fn weights<'a>(tensors: impl IntoIterator<Item = &'a NamedArray>) -> StateDict {
    let tensors: BTreeMap<_, _> = tensors.into_iter().map(|t| (&t.name, &t.array)).collect();
    let mut weights = StateDict::new();
    for (name, array) in tensors {
        weights.insert(name, stored(name, array)).expect("names differ");
    }
    weights
}

/// Images of a fixture, in f32.
pub(crate) fn images(array: &Array, device: &Device) -> Tensor<4> {
    array.tensor(device).cast(DType::F32)
}

fn stored(name: &str, array: &Array) -> NamedTensor {
    let values = if name.ends_with("num_batches_tracked") {
        TensorValues::I64(array.data.iter().map(|&x| x as i64).collect())
    } else {
        TensorValues::F32(array.data.iter().map(|&x| x as f32).collect())
    };
    NamedTensor::new(array.shape.clone(), values).expect("as many values as the shape has")
}

/// The network in f64.
pub(crate) fn in_f64(network: AnyNetwork) -> AnyNetwork {
    struct ToF64;
    impl ModuleMapper for ToF64 {
        fn map_float<const N: usize>(&mut self, param: Param<Tensor<N>>) -> Param<Tensor<N>> {
            let (id, value, mapper) = param.consume();
            let value = value.inner().cast(DType::F64);
            Param::from_mapped_value(id, Tensor::from_inner(value).require_grad(), mapper)
        }
    }
    network.map(&mut ToF64)
}

/// The gradients of a network's parameters under the parameters' names in a weights file.
///
/// Tensors without a gradient (running statistics) keep their values.
pub(crate) fn named_gradients(network: &AnyNetwork, gradients: GradientsParams) -> StateDict {
    struct Replace(GradientsParams);
    impl ModuleMapper for Replace {
        fn map_float<const N: usize>(&mut self, param: Param<Tensor<N>>) -> Param<Tensor<N>> {
            match self.0.remove::<N>(param.id) {
                Some(gradient) => Param::initialized(param.id, gradient),
                None => param,
            }
        }
    }
    network.clone().map(&mut Replace(gradients)).export()
}

/// A tensor of a state dict as f64.
pub(crate) fn floats(weights: &StateDict, name: &str) -> Vec<f64> {
    let tensor = weights.get(name).unwrap_or_else(|| panic!("there is no `{name}`"));
    let values = tensor.as_f32().unwrap_or_else(|| panic!("`{name}` holds no floats"));
    values.iter().map(|&x| f64::from(x)).collect()
}
