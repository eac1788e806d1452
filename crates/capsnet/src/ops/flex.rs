//! Between tensors of the CPU backend and the slices of `capsnet-kernels`, without copies where none is needed.

use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;

/// The tensor itself if its elements lie in order, else a copy in which they do.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.as_slice::<f32>().is_some() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The elements of a [`contiguous`] tensor.
pub(super) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("the tensor was made contiguous")
}

/// A tensor that takes over `values`.
pub(super) fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
}
