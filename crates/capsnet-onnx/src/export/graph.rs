//! Making a graph node by node. A value is known by its name.

use burn::prelude::*;
use capsnet_data::transform::Normalize;
use capsnet_weights::StateDict;

use super::ExportError;
use crate::proto::{self, Attribute, Dimension, FLOAT, Graph, INT64, Node, TensorType, Type, ValueInfo};

/// The name of a value.
pub(super) type Value = String;

/// A graph in the making.
pub(super) struct Builder<'a> {
    weights: &'a StateDict,
    graph: Graph,
}

/// An attribute of a node.
pub(super) enum With<'a> {
    Float(&'a str, f32),
    Int(&'a str, i64),
    Ints(&'a str, &'a [i64]),
}

impl<'a> Builder<'a> {
    pub(super) fn new(weights: &'a StateDict) -> Self {
        Self {
            weights,
            graph: Graph::default(),
        }
    }

    /// The input, `[batch, size..]`.
    pub(super) fn input(&mut self, name: &str, size: &[usize]) -> Value {
        self.graph.input.push(described(name, size));
        name.to_owned()
    }

    /// Makes a value an output, `[batch, size..]`, under a name.
    pub(super) fn output(&mut self, value: Value, name: &str, size: &[usize]) {
        let node = Node {
            input: vec![value],
            output: vec![name.to_owned()],
            name: name.to_owned(),
            op_type: "Identity".to_owned(),
            attribute: Vec::new(),
        };
        self.graph.node.push(node);
        self.graph.output.push(described(name, size));
    }

    pub(super) fn finish(mut self, name: &str) -> Graph {
        self.graph.name = name.to_owned();
        self.graph
    }

    /// A node with one output.
    pub(super) fn node(&mut self, op: &str, inputs: &[&Value], with: &[With]) -> Value {
        let name = format!("{}_{}", op.to_lowercase(), self.graph.node.len());
        let attribute = with.iter().map(|with| match *with {
            With::Float(name, f) => Attribute {
                name: name.to_owned(),
                f: Some(f),
                kind: 1,
                ..Attribute::default()
            },
            With::Int(name, i) => Attribute {
                name: name.to_owned(),
                i: Some(i),
                kind: 2,
                ..Attribute::default()
            },
            With::Ints(name, ints) => Attribute {
                name: name.to_owned(),
                ints: ints.to_vec(),
                kind: 7,
                ..Attribute::default()
            },
        });
        self.graph.node.push(Node {
            input: inputs.iter().map(|input| (*input).clone()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op.to_owned(),
            attribute: attribute.collect(),
        });
        name
    }

    /// Constant floats.
    pub(super) fn floats(&mut self, dims: &[usize], values: &[f32]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let name = format!("constant_{}", self.graph.initializer.len());
        self.constant(name, dims, FLOAT, bytes)
    }

    /// Constant integers, of one dimension.
    pub(super) fn integers(&mut self, values: &[i64]) -> Value {
        self.table(&[values.len()], values)
    }

    /// Constant integers.
    pub(super) fn table(&mut self, dims: &[usize], values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let name = format!("constant_{}", self.graph.initializer.len());
        self.constant(name, dims, INT64, bytes)
    }

    /// A constant that has been computed.
    pub(super) fn tensor<const N: usize>(&mut self, tensor: Tensor<N>) -> Value {
        let dims = tensor.dims();
        let values = tensor.into_data().try_into_vec_as::<f32>().expect("a tensor of floats");
        self.floats(&dims, &values)
    }

    fn constant(&mut self, name: String, dims: &[usize], data_type: i32, raw_data: Vec<u8>) -> Value {
        self.graph.initializer.push(proto::Tensor {
            dims: dims.iter().map(|&size| size as i64).collect(),
            data_type,
            name: name.clone(),
            raw_data,
            ..proto::Tensor::default()
        });
        name
    }

    /// The weights that the graph is made of.
    pub(super) fn weights(&self) -> &'a StateDict {
        self.weights
    }

    /// Shape and values of a tensor of the weights.
    pub(super) fn values(&self, name: &str) -> Result<(&'a [usize], &'a [f32]), ExportError> {
        let found = self
            .weights
            .get(name)
            .and_then(|tensor| Some((tensor.shape(), tensor.as_f32()?)));
        found.ok_or_else(|| ExportError::Missing(name.to_owned()))
    }

    /// A tensor of the weights, under its own name.
    pub(super) fn weight(&mut self, name: &str) -> Result<Value, ExportError> {
        let (shape, values) = self.values(name)?;
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(self.constant(name.to_owned(), shape, FLOAT, bytes))
    }

    /// What is done to pixels in 0..1 before the network sees them.
    pub(super) fn normalized(&mut self, pixels: Value, normalize: Normalize) -> Value {
        if normalize == Normalize::default() {
            return pixels;
        }
        let mean = self.floats(&[], &[normalize.mean()]);
        let centred = self.sub(&pixels, &mean);
        self.divide_by(&centred, normalize.std())
    }

    /// A convolution without padding by the layer of this name; a depthwise one has a group a channel.
    pub(super) fn conv(&mut self, x: &Value, layer: &str, stride: usize, groups: usize) -> Result<Value, ExportError> {
        let weight = self.weight(&format!("{layer}.weight"))?;
        let bias = self.weight(&format!("{layer}.bias"))?;
        // Those that have a default too, which not every reader knows.
        let with = [
            With::Ints("dilations", &[1, 1]),
            With::Int("group", groups as i64),
            With::Ints("pads", &[0; 4]),
            With::Ints("strides", &[stride as i64; 2]),
        ];
        Ok(self.node("Conv", &[x, &weight, &bias], &with))
    }

    /// A batch norm by the statistics that it has kept.
    pub(super) fn batch_norm(&mut self, x: &Value, layer: &str, epsilon: f32) -> Result<Value, ExportError> {
        let mut inputs = vec![x.clone()];
        for part in ["weight", "bias", "running_mean", "running_var"] {
            inputs.push(self.weight(&format!("{layer}.{part}"))?);
        }
        let inputs: Vec<&Value> = inputs.iter().collect();
        Ok(self.node("BatchNormalization", &inputs, &[With::Float("epsilon", epsilon)]))
    }

    /// A fully connected layer.
    pub(super) fn linear(&mut self, x: &Value, layer: &str) -> Result<Value, ExportError> {
        let weight = self.weight(&format!("{layer}.weight"))?;
        let bias = self.weight(&format!("{layer}.bias"))?;
        Ok(self.node("Gemm", &[x, &weight, &bias], &[With::Int("transB", 1)]))
    }

    pub(super) fn relu(&mut self, x: &Value) -> Value {
        self.node("Relu", &[x], &[])
    }

    pub(super) fn flatten(&mut self, x: &Value) -> Value {
        self.node("Flatten", &[x], &[With::Int("axis", 1)])
    }

    /// A shape in which 0 keeps a size and -1 takes what is left.
    pub(super) fn reshape(&mut self, x: &Value, shape: &[i64]) -> Value {
        let shape = self.integers(shape);
        self.node("Reshape", &[x, &shape], &[])
    }

    pub(super) fn add(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Add", &[a, b], &[])
    }

    pub(super) fn sub(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Sub", &[a, b], &[])
    }

    pub(super) fn mul(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Mul", &[a, b], &[])
    }

    pub(super) fn div(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Div", &[a, b], &[])
    }

    pub(super) fn plus(&mut self, x: &Value, number: f32) -> Value {
        let number = self.floats(&[], &[number]);
        self.add(x, &number)
    }

    pub(super) fn times(&mut self, x: &Value, number: f32) -> Value {
        let number = self.floats(&[], &[number]);
        self.mul(x, &number)
    }

    pub(super) fn divide_by(&mut self, x: &Value, number: f32) -> Value {
        let number = self.floats(&[], &[number]);
        self.div(x, &number)
    }

    /// Values side by side along an axis.
    pub(super) fn concat(&mut self, values: &[Value], axis: i64) -> Value {
        let values: Vec<&Value> = values.iter().collect();
        self.node("Concat", &values, &[With::Int("axis", axis)])
    }

    /// The slices along an axis in this order, any of them as often as it is named.
    pub(super) fn gather(&mut self, x: &Value, slices: &[i64], axis: i64) -> Value {
        let slices = self.integers(slices);
        self.node("Gather", &[x, &slices], &[With::Int("axis", axis)])
    }

    /// The axes in this order.
    pub(super) fn transpose(&mut self, x: &Value, axes: &[i64]) -> Value {
        self.node("Transpose", &[x], &[With::Ints("perm", axes)])
    }

    /// The largest along an axis, which stays with size 1 or goes.
    pub(super) fn largest(&mut self, x: &Value, axis: i64, stays: bool) -> Value {
        let with = [With::Ints("axes", &[axis]), With::Int("keepdims", stays.into())];
        self.node("ReduceMax", &[x], &with)
    }

    /// More axes of size 1, at these places of the result.
    pub(super) fn unsqueeze(&mut self, x: &Value, axes: &[i64]) -> Value {
        let axes = self.integers(axes);
        self.node("Unsqueeze", &[x, &axes], &[])
    }

    /// The sum over an axis, which stays with size 1.
    pub(super) fn sum(&mut self, x: &Value, axis: i64) -> Value {
        let axes = self.integers(&[axis]);
        self.node("ReduceSum", &[x, &axes], &[With::Int("keepdims", 1)])
    }
}

/// A value of floats whose first size is that of the batch.
fn described(name: &str, size: &[usize]) -> ValueInfo {
    let batch = Dimension {
        size: None,
        name: Some("batch".to_owned()),
    };
    let sizes = size.iter().map(|&size| Dimension {
        size: Some(size as i64),
        name: None,
    });
    let shape = proto::Shape {
        dimensions: std::iter::once(batch).chain(sizes).collect(),
    };
    ValueInfo {
        name: name.to_owned(),
        kind: Some(Type {
            tensor: Some(TensorType {
                element: FLOAT,
                shape: Some(shape),
            }),
        }),
    }
}
