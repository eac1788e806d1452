//! The update of one parameter by Adam: one pass in place by `capsnet-kernels` on the CPU backend in single precision.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::prelude::*;
pub use capsnet_kernels::AdamStep;

use super::{Way, has_kernels, timed};

/// Parameter and moments after a step.
pub struct Updated<const N: usize> {
    /// The parameter.
    pub parameter: Tensor<N>,
    /// The running mean of gradients, flat.
    pub first: Tensor<1>,
    /// The running mean of squared gradients, flat.
    pub second: Tensor<1>,
}

/// Moves a parameter against its gradient, without autodiff. On the CPU backend, tensors that have no other owner are
/// updated where they are.
///
/// # Shapes
///
/// - `parameter`, `gradient`: the same
/// - `first`, `second`: `[elements]`
///
/// # Panics
///
/// On the CPU, if a tensor is on a device with autodiff.
pub fn adam_update<const N: usize>(
    parameter: Tensor<N>,
    gradient: Tensor<N>,
    first: Tensor<1>,
    second: Tensor<1>,
    step: AdamStep,
) -> Updated<N> {
    if !has_kernels(&parameter) {
        return plain(parameter, gradient, first, second, step);
    }
    let gradient = whole(gradient);
    let (mut parameter, mut first, mut second) = (whole(parameter), whole(first), whole(second));
    // Copies what has another owner.
    let (p, m, v) = (parameter.storage_mut(), first.storage_mut(), second.storage_mut());
    timed("Adam", Way::Backward, 0.0, || step.apply(p, gradient.storage(), m, v))
        .expect("parameter, gradient and moments have the same number of elements");
    Updated {
        parameter: Tensor::from_primitive::<Flex>(parameter),
        first: Tensor::from_primitive::<Flex>(first),
        second: Tensor::from_primitive::<Flex>(second),
    }
}

/// By the backend's own operations.
fn plain<const N: usize>(
    parameter: Tensor<N>,
    gradient: Tensor<N>,
    first: Tensor<1>,
    second: Tensor<1>,
    step: AdamStep,
) -> Updated<N> {
    let shape = parameter.shape();
    let gradient = gradient.reshape(first.dims());
    let first = first * step.beta_1 + gradient.clone() * (1.0 - step.beta_1);
    let second = second * step.beta_2 + gradient.clone() * gradient * (1.0 - step.beta_2);
    let spread = second.clone().sqrt() / step.root_correction + step.epsilon;
    let change = first.clone() / spread * step.step_size;
    Updated {
        parameter: (parameter.reshape(first.dims()) - change).reshape(shape),
        first,
        second,
    }
}

/// The tensor in memory of exactly its size and order; itself where it is that already.
fn whole<const N: usize>(tensor: Tensor<N>) -> FlexTensor {
    let tensor = tensor
        .try_into_primitive::<Flex>()
        .expect("an optimiser's tensors are without autodiff");
    let is_whole = tensor.is_contiguous() && tensor.bytes().len() == tensor.shape().num_elements() * size_of::<f32>();
    if is_whole { tensor } else { tensor.to_contiguous() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;
    use burn::tensor::{TensorData, Tolerance};

    fn address<const N: usize>(tensor: &Tensor<N>) -> *const u8 {
        let tensor = tensor.clone().try_into_primitive::<Flex>();
        tensor.expect("a tensor on the CPU backend").bytes().as_ptr()
    }

    struct Inputs {
        parameter: Tensor<2>,
        gradient: Tensor<2>,
        first: Tensor<1>,
        second: Tensor<1>,
    }

    fn inputs(shape: [usize; 2]) -> Inputs {
        let device = Device::flex();
        let noise = |seed| normal::<2>(shape, seed, &device);
        Inputs {
            parameter: noise(1),
            // A transposed view, as the gradient of a linear layer may be.
            gradient: normal::<2>([shape[1], shape[0]], 2, &device).transpose(),
            first: noise(3).flatten(0, 1),
            second: noise(4).square().flatten(0, 1),
        }
    }

    fn step() -> AdamStep {
        AdamStep::new(0.9, 0.999, 1e-8, 1e-2, 3)
    }

    fn data<const N: usize>(tensor: Tensor<N>) -> TensorData {
        tensor.into_data()
    }

    #[test]
    fn kernel_and_plain_operations_agree() {
        for shape in [[1, 1], [5, 7], [300, 401]] {
            let Inputs {
                parameter,
                gradient,
                first,
                second,
            } = inputs(shape);
            let ours = adam_update(
                parameter.clone(),
                gradient.clone(),
                first.clone(),
                second.clone(),
                step(),
            );
            let burns = plain(parameter, gradient, first, second, step());
            let pairs = [
                (data(ours.parameter), data(burns.parameter)),
                (data(ours.first), data(burns.first)),
                (data(ours.second), data(burns.second)),
            ];
            for (ours, burns) in &pairs {
                ours.assert_approx_eq::<f32>(burns, Tolerance::rel_abs(1e-6, 1e-7));
            }
        }
    }

    #[test]
    fn tensors_of_one_owner_stay_where_they_are_and_others_are_left_alone() {
        let inputs = inputs([30, 40]);
        let before = [
            address(&inputs.parameter),
            address(&inputs.first),
            address(&inputs.second),
        ];
        let (watched, values) = (inputs.second.clone(), data(inputs.second.clone()));
        let updated = adam_update(inputs.parameter, inputs.gradient, inputs.first, inputs.second, step());
        assert_eq!(address(&updated.parameter), before[0]);
        assert_eq!(address(&updated.first), before[1]);
        assert_ne!(address(&updated.second), before[2], "it has a second owner");
        data(watched).assert_eq(&values, true);
    }
}
