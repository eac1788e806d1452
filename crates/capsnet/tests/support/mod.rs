//! What the integration tests share: fixtures, tensors and networks in f64, and comparisons.
//!
//! The fixtures were made in f64 by PyTorch 2.15 (`tools/pytorch/make_fixtures.py`).

#![allow(dead_code)] // Every test file takes what it needs.

pub(crate) mod networks;
#[path = "../../src/testing.rs"]
pub(crate) mod testing;

use burn::prelude::*;
use burn::tensor::DType;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A tensor of a fixture, row-major.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Array {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

impl Array {
    pub(crate) fn tensor<const N: usize>(&self, device: &Device) -> Tensor<N> {
        tensor(self.data.clone(), self.shape.clone(), device)
    }
}

/// Reads `tests/fixtures/{name}.json`.
pub(crate) fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A tensor in f64.
pub(crate) fn tensor<const N: usize>(values: Vec<f64>, shape: Vec<usize>, device: &Device) -> Tensor<N> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F64))
}

/// Class numbers.
pub(crate) fn classes(labels: &[i64], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::from(labels), device)
}

/// The values of a tensor, row-major.
pub(crate) fn values<const N: usize>(tensor: Tensor<N>) -> Vec<f64> {
    tensor.into_data().try_into_vec_as().expect("any float converts to f64")
}

/// The gradient of `output`, weighted with `upstream`, with respect to `source`.
pub(crate) fn gradient<const N: usize, const M: usize>(
    output: Tensor<N>,
    upstream: Tensor<N>,
    source: &Tensor<M>,
) -> Vec<f64> {
    let gradients = (output * upstream).sum().backward();
    values(source.grad(&gradients).expect("the source requires a gradient"))
}

/// Numbers in -1..1 without a pattern that matters: the same in every run, and none near a kink of the functions
/// tested.
pub(crate) fn waves(count: usize, phase: f64) -> Vec<f64> {
    (0..count).map(|k| (1.7 * k as f64 + phase).sin()).collect()
}

/// Noise between 0 and 1, as of pixels; see `testing`.
pub(crate) fn uniform<const N: usize>(shape: [usize; N], seed: u64, device: &Device) -> Tensor<N> {
    let normal = testing::normal(shape, seed, device);
    (normal / 2f64.sqrt()).erf() * 0.5 + 0.5
}

/// Asserts that every value is within `relative` times the largest expected magnitude, plus `absolute`, of the expected
/// one.
#[track_caller]
pub(crate) fn assert_close(what: &str, found: &[f64], expected: &[f64], relative: f64, absolute: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    let largest = expected.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let allowed = relative * largest + absolute;
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!(
            (f - e).abs() <= allowed,
            "{what}: value {k} is {f}, expected {e} within {allowed:e}"
        );
    }
}
