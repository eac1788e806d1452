//! Routing the votes of a file, so that anybody can check a routing of their own against these.
//!
//! | tensor | shape | |
//! |---|---|---|
//! | `u_hat` | `[B, J, I, D]` | the votes |
//! | `activation` | `[B, I]` | of the lower capsules, 0 to 1, for algorithms that need them (`em`) |
//! | `u` | `[B, I, E]` | the lower capsules, for algorithms that need them (`self-routing`) |
//! | an algorithm's parameters | see [`Route::parameters`](super::Route::parameters) | initial values if left out |
//!
//! What it comes to: `v` `[B, J, D]`, `activation` `[B, J]`, and `couplings.0`, `couplings.1`, .. `[B, J, I]`, one an
//! iteration. Everything is computed in f64.

use burn::prelude::*;
use burn::tensor::DType;
use capsnet_weights::{NamedTensor, StateDict, TensorValues};
use serde_json::Value;

use super::{Routing, Votes};

/// Why votes can't be routed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VotesError {
    /// A tensor that is needed is missing.
    #[error("there is no `{tensor}` of shape {shape}; the file holds {found}")]
    Missing {
        /// Its name.
        tensor: &'static str,
        /// Its shape.
        shape: String,
        /// The names that there are.
        found: String,
    },
    /// A tensor of integers or of another shape.
    #[error("`{tensor}` must be floats of shape {wanted}, not {found}")]
    Shape {
        /// Its name.
        tensor: &'static str,
        /// The shape that it should have.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// Activations that are none.
    #[error("`activation` must be 0 to 1, and value {index} is {value}")]
    Activation {
        /// Which one, row by row.
        index: usize,
        /// Its value.
        value: String,
    },
    /// The numbers of the result are too large.
    #[error("`{tensor}` comes to numbers that are not finite in f32; the votes are too large")]
    NotFinite {
        /// The result at fault.
        tensor: String,
    },
}

/// What the votes of a file came to.
#[derive(Debug, Clone)]
pub struct RoutedFile {
    /// `v`, `activation` and the couplings.
    pub tensors: StateDict,
    /// Tensors of the file that the algorithm had no use for.
    pub unused: Vec<String>,
}

impl RoutedFile {
    /// The tensors as nested lists, by their names.
    pub fn to_json(&self) -> Value {
        let entry = |(name, tensor): (&str, &NamedTensor)| {
            let values = tensor.as_f32().unwrap_or_default();
            (name.to_owned(), nested(tensor.shape(), values))
        };
        Value::Object(self.tensors.iter().map(entry).collect())
    }

    /// A line a tensor: its name, shape and range.
    pub fn summary(&self) -> String {
        let line = |(name, tensor): (&str, &NamedTensor)| {
            let values = tensor.as_f32().unwrap_or_default().iter().copied();
            let (least, most) = (
                values.clone().fold(f32::INFINITY, f32::min),
                values.fold(f32::NEG_INFINITY, f32::max),
            );
            format!("{name:<12} {:?}  {least:.6} to {most:.6}", tensor.shape())
        };
        self.tensors.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Values in row-major order as lists of lists.
fn nested(shape: &[usize], values: &[f32]) -> Value {
    match shape {
        [] => values.first().copied().into(),
        [_] => values.into(),
        [_, rest @ ..] => {
            let rows = values.chunks(rest.iter().product());
            rows.map(|row| nested(rest, row)).collect()
        }
    }
}

/// Routes the votes of a file.
///
/// # Errors
///
/// If a tensor is missing, or not what it should be.
pub fn route_votes_file(file: &StateDict, routing: &Routing) -> Result<RoutedFile, VotesError> {
    let algorithm = routing.algorithm();
    let device = Device::flex();
    let all: &[&'static str] = &["B", "J", "I", "D"];
    let (sizes, u_hat) = floats(file, "u_hat", all, &[None; 4])?;
    let [batch, upper, lower, dimensions] = [sizes[0], sizes[1], sizes[2], sizes[3]];
    let mut votes = Votes::from(in_f64::<4>(u_hat, [batch, upper, lower, dimensions], &device));
    let mut used = vec!["u_hat"];
    if algorithm.uses_activations() {
        let (_, activation) = floats(file, "activation", &["B", "I"], &[Some(batch), Some(lower)])?;
        if let Some(index) = activation.iter().position(|a| !(0.0..=1.0).contains(a)) {
            let value = activation[index].to_string();
            return Err(VotesError::Activation { index, value });
        }
        votes = votes.with_activations(in_f64(activation, [batch, lower], &device));
        used.push("activation");
    }
    if algorithm.uses_lower() {
        let (shape, u) = floats(file, "u", &["B", "I", "E"], &[Some(batch), Some(lower), None])?;
        votes = votes.with_lower(in_f64(u, [batch, lower, shape[2]], &device));
        used.push("u");
    }
    let parameters = algorithm.parameters(votes.sizes());
    let mut values = Vec::with_capacity(parameters.len());
    for parameter in &parameters {
        let value = if file.get(parameter.name).is_some() {
            let shape: Vec<Option<usize>> = parameter.shape.iter().copied().map(Some).collect();
            let (_, value) = floats(file, parameter.name, &[], &shape)?;
            in_f64(value, [parameter.len()], &device)
        } else {
            parameter.start(&device, DType::F64)
        };
        values.push(value);
        used.push(parameter.name);
    }
    let routed = routing.forward_with_couplings(votes.with_parameters(values));
    let mut tensors = StateDict::new();
    put(&mut tensors, "v".to_owned(), routed.upper.v.clone())?;
    put(&mut tensors, "activation".to_owned(), routed.upper.activation())?;
    for (number, iteration) in routed.iterations.into_iter().enumerate() {
        put(&mut tensors, format!("couplings.{number}"), iteration.couplings)?;
    }
    let names = file.iter().map(|(name, _)| name);
    let unused = names.filter(|name| !used.contains(name)).map(str::to_owned);
    Ok(RoutedFile {
        tensors,
        unused: unused.collect(),
    })
}

/// Shape and values of a tensor with the sizes `wanted`, none of them 0; `None` stands for any. `letters` name the
/// sizes.
fn floats<'a>(
    file: &'a StateDict,
    tensor: &'static str,
    letters: &[&str],
    wanted: &[Option<usize>],
) -> Result<(Vec<usize>, &'a [f32]), VotesError> {
    let size = |(k, size): (usize, &Option<usize>)| match (size, letters.get(k)) {
        (Some(size), Some(letter)) => format!("{letter} = {size}"),
        (Some(size), None) => size.to_string(),
        (None, letter) => letter.copied().unwrap_or("any").to_owned(),
    };
    let shape: Vec<String> = wanted.iter().enumerate().map(size).collect();
    let shape = format!("[{}]", shape.join(", "));
    let Some(found) = file.get(tensor) else {
        let names: Vec<&str> = file.iter().map(|(name, _)| name).collect();
        return Err(VotesError::Missing {
            tensor,
            shape,
            found: if names.is_empty() {
                "nothing".to_owned()
            } else {
                names.join(", ")
            },
        });
    };
    let sizes = found.shape();
    let fits = sizes.len() == wanted.len()
        && sizes
            .iter()
            .zip(wanted)
            .all(|(&size, wanted)| size > 0 && wanted.is_none_or(|wanted| wanted == size));
    match found.as_f32().filter(|_| fits) {
        Some(values) => Ok((sizes.to_vec(), values)),
        None => Err(VotesError::Shape {
            tensor,
            wanted: shape,
            found: format!("{:?} of {}", sizes, found.stored_dtype()),
        }),
    }
}

fn in_f64<const N: usize>(values: &[f32], shape: [usize; N], device: &Device) -> Tensor<N> {
    let values: Vec<f64> = values.iter().copied().map(f64::from).collect();
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F64))
}

fn put<const N: usize>(tensors: &mut StateDict, name: String, values: Tensor<N>) -> Result<(), VotesError> {
    let shape = values.dims().to_vec();
    let values = values.into_data().try_into_vec_as::<f32>();
    let values = values.expect("any float converts to f32");
    if !values.iter().all(|value| value.is_finite()) {
        return Err(VotesError::NotFinite { tensor: name });
    }
    let tensor = NamedTensor::new(shape, TensorValues::F32(values)).expect("as many values as the shape has");
    tensors.insert(name, tensor).expect("the names differ");
    Ok(())
}
