//! Walking over a model's parameters under their names in a weights file.
//!
//! A layer lists its parameters once, in [`Named::exchange`]; exporting, importing and telling the expected shapes are
//! three ways to walk that list. A module that lists nothing is walked as Burn walks it: its parameters are named by
//! the fields that they stand in.

use burn::module::{Module, ModuleMapper, Param};
use burn::prelude::*;
use capsnet_weights::{NamedTensor, StateDict, TensorValues};

use super::Layout;

/// Whether a tensor of a file is a number that PyTorch insists on and that has no part in the result.
pub fn is_counter(name: &str) -> bool {
    name.ends_with("num_batches_tracked")
}

/// What is done with each parameter of a walk.
pub trait Exchange {
    /// A trainable parameter.
    fn parameter<const N: usize>(&mut self, name: String, layout: Layout, param: &mut Param<Tensor<N>>);

    /// Statistics that a layer keeps but doesn't train.
    fn statistics<const N: usize>(&mut self, name: String, value: &mut Tensor<N>);

    /// A number that PyTorch insists on and that has no part in the result.
    fn counter(&mut self, name: String);
}

/// A module whose parameters have names in a weights file.
///
/// `impl Named for MyNetwork {}` is enough for a module of your own: its parameters then go by the fields that they
/// stand in, `layer.weight`, in Burn's layout. Ours write [`exchange`](Self::exchange) to have PyTorch's names and
/// layouts.
pub trait Named: Module {
    /// Hands every parameter to `with`, each name beginning with `at`.
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        // What a batch norm has noted in the forward pass before comes to its statistics, which all clones share.
        drop(self.valid());
        let mut walk = Walk {
            with,
            path: at.to_owned(),
        };
        *self = self.clone().map(&mut walk);
    }

    /// Names and shapes of the tensors that a weights file of this module holds.
    fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let mut shapes = Shapes::default();
        self.clone().exchange("", &mut shapes);
        shapes.0
    }

    /// The number of trainable values, which Burn's own count mixes with the statistics that a batch norm keeps.
    fn trainable(&self) -> usize {
        let mut count = Trainable(0);
        self.clone().exchange("", &mut count);
        count.0
    }

    /// The module's weights.
    fn export(&self) -> StateDict {
        let mut export = Export(StateDict::default());
        self.clone().exchange("", &mut export);
        export.0
    }

    /// Replaces the module's weights.
    ///
    /// # Panics
    ///
    /// If `weights` has not been checked against [`shapes`](Self::shapes).
    fn import(&mut self, weights: &StateDict, device: &Device) {
        self.exchange("", &mut Import { weights, device });
    }
}

/// Statistics of Burn's layers stand in fields whose names begin so; to a mapper they look like parameters.
const STATISTICS: &str = "running_";

/// A walk in the order of Burn's, under the names of fields.
struct Walk<'a, E> {
    with: &'a mut E,
    /// The path of the place in the module, names between points.
    path: String,
}

impl<E: Exchange> ModuleMapper for Walk<'_, E> {
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

    fn map_float<const N: usize>(&mut self, mut param: Param<Tensor<N>>) -> Param<Tensor<N>> {
        let field = self.path.rsplit('.').next().unwrap_or_default();
        if field.starts_with(STATISTICS) {
            let mut value = param.val();
            self.with.statistics(self.path.clone(), &mut value);
            return Param::initialized(param.id, value);
        }
        self.with.parameter(self.path.clone(), Layout::Plain, &mut param);
        param
    }
}

#[derive(Default)]
struct Shapes(Vec<(String, Vec<usize>)>);

impl Exchange for Shapes {
    fn parameter<const N: usize>(&mut self, name: String, layout: Layout, param: &mut Param<Tensor<N>>) {
        self.0.extend(layout.pieces(&name, &param.lazy_shape().to_vec()));
    }

    fn statistics<const N: usize>(&mut self, name: String, value: &mut Tensor<N>) {
        self.0.push((name, value.dims().to_vec()));
    }

    fn counter(&mut self, name: String) {
        self.0.push((name, vec![]));
    }
}

struct Trainable(usize);

impl Exchange for Trainable {
    fn parameter<const N: usize>(&mut self, _name: String, _layout: Layout, param: &mut Param<Tensor<N>>) {
        self.0 += param.lazy_shape().num_elements();
    }

    fn statistics<const N: usize>(&mut self, _name: String, _value: &mut Tensor<N>) {}

    fn counter(&mut self, _name: String) {}
}

struct Export(StateDict);

impl Export {
    fn put(&mut self, name: String, shape: Vec<usize>, values: TensorValues) {
        let tensor = NamedTensor::new(shape, values).expect("as many values as the shape has");
        self.0.insert(name, tensor).expect("names of a model differ");
    }
}

impl Exchange for Export {
    fn parameter<const N: usize>(&mut self, name: String, layout: Layout, param: &mut Param<Tensor<N>>) {
        let value = param.val();
        let shape = value.dims();
        let pieces = layout.split(values_of(value), &shape);
        for ((name, shape), values) in layout.pieces(&name, &shape).into_iter().zip(pieces) {
            self.put(name, shape, TensorValues::F32(values));
        }
    }

    fn statistics<const N: usize>(&mut self, name: String, value: &mut Tensor<N>) {
        self.put(name, value.dims().to_vec(), TensorValues::F32(values_of(value.clone())));
    }

    fn counter(&mut self, name: String) {
        self.put(name, vec![], TensorValues::I64(vec![0]));
    }
}

/// The values of a tensor in row-major order, as f32.
fn values_of<const N: usize>(tensor: Tensor<N>) -> Vec<f32> {
    tensor
        .into_data()
        .try_into_vec_as::<f32>()
        .expect("any float converts to f32")
}

struct Import<'a> {
    weights: &'a StateDict,
    device: &'a Device,
}

impl Import<'_> {
    fn floats(&self, name: &str) -> &[f32] {
        self.weights
            .get(name)
            .and_then(NamedTensor::as_f32)
            .unwrap_or_else(|| panic!("`{name}` was checked to be a float tensor of these weights"))
    }
}

impl Exchange for Import<'_> {
    fn parameter<const N: usize>(&mut self, name: String, layout: Layout, param: &mut Param<Tensor<N>>) {
        let shape = param.lazy_shape().to_vec();
        let pieces = layout.pieces(&name, &shape);
        let pieces: Vec<&[f32]> = pieces.iter().map(|(name, _)| self.floats(name)).collect();
        let values = layout.join(&pieces, &shape);
        let tensor = Tensor::from_data(TensorData::new(values, shape), self.device);
        let tensor = if self.device.is_autodiff() {
            tensor.require_grad()
        } else {
            tensor
        };
        *param = Param::initialized(param.id, tensor);
    }

    fn statistics<const N: usize>(&mut self, name: String, value: &mut Tensor<N>) {
        let values = TensorData::new(self.floats(&name).to_vec(), value.dims());
        *value = Tensor::from_data(values, self.device);
    }

    fn counter(&mut self, _name: String) {}
}
